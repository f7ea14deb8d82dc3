import Glibc
import Platform
import Testing

@Suite struct AccountTests {
  @Test func `a user is found by name, and by number`() throws {
    let root = try Account("root")
    #expect(root == (try Account("0")))
    #expect(root.user == 0 && root.group == 0 && root.name == "root" && root.home == "/root")
  }

  @Test func `a group that is given takes the place of the user's own`() throws {
    let account = try Account("root:nogroup")
    #expect(account.user == 0)
    #expect(account.group == (try Account("nobody:nogroup")).group)
    #expect(account.group != 0)
    #expect(try Account("root:54321").group == 54321)
  }

  @Test func `a number that no user has needs a group`() throws {
    #expect(throws: AccountError.noGroup("3999999999")) { try Account("3999999999") }
    let account = try Account("3999999999:0")
    #expect(account.user == 3_999_999_999 && account.name == nil && account.home == nil)
    #expect(try account.supplementaryGroups == [])
  }

  @Test(arguments: ["", ":", ":root", "root:", ":root:", "a\0b"])
  func `what is no name is refused`(text: String) {
    #expect(throws: AccountError.malformed(text)) { try Account(text) }
  }

  @Test func `names and numbers that stand for nothing are refused`() {
    #expect(throws: AccountError.unknownUser("no-such-user")) { try Account("no-such-user") }
    #expect(throws: AccountError.unknownGroup("no-such-group")) { try Account("root:no-such-group") }
    // The system takes -1 as "unchanged", so changing to it would have no effect.
    for number in ["4294967295", "4294967296", "-1", "+1", " 1"] {
      #expect(throws: AccountError.unknownUser(number)) { try Account(number) }
      #expect(throws: AccountError.unknownGroup(number)) { try Account("root:\(number)") }
    }
  }

  @Test func `the groups of a user have its own among them`() throws {
    let account = try Account("daemon")
    #expect(try account.supplementaryGroups.contains(account.group))
  }
}
