import VarnishLog

/// A query that is refused, and the error text.
struct QueryErrorCase: Sendable {
  /// The query.
  let query: String
  /// The message with the position; empty if there is none.
  let message: String
  /// The marks below the query.
  let marks: String

  init(_ query: String, _ message: String, _ marks: String) {
    self.query = query
    self.message = message
    self.marks = marks
  }

  /// All that follows `Query expression error:` and its newline, but for the last newline.
  var text: String {
    if message.isEmpty { return "" }
    let shown = query.map { $0 == "\n" || $0 == "\t" || $0 == "\r" || $0 == "\u{0B}" ? " " : $0 }
    return "\(message)\n\(String(shown))\n\(marks)\n\n"
  }

  /// The texts that 7.1 prints.
  static let all: [QueryErrorCase] = [
    // Lexical.
    QueryErrorCase(#"ReqMethod eq "GET"#, "Unterminated string (Pos 18)", "-------------####"),
    QueryErrorCase(#"Foo "abc"#, "Unterminated string (Pos 9)", "----####"),
    QueryErrorCase(#"ReqMethod "abc"#, "Unterminated string (Pos 15)", "----------####"),
    QueryErrorCase("ReqMethod 'abc", "Unterminated string (Pos 15)", "----------####"),
    QueryErrorCase("Foo\nReqURL ~ \"(", "Unterminated string (Pos 16)", "-------------##"),
    QueryErrorCase("ReqMethod eq \"a b\n\"", "Unterminated string (Pos 18)", "-------------####--"),
    QueryErrorCase("ReqMethod eq \"a\\\nb\"", "Unterminated string (Pos 17)", "-------------###---"),
    QueryErrorCase(#"ReqMethod eq "a\"#, "Unterminated string (Pos 17)", "-------------###"),
    QueryErrorCase(#"ReqURL == "."""#, "Unterminated string (Pos 15)", "-------------#"),
    QueryErrorCase("ReqMethod\r", "Syntax error (Pos 10)", "---------^"),
    QueryErrorCase("ReqMethod\u{0B}eq x", "Syntax error (Pos 10)", "---------^----"),
    QueryErrorCase(#"\x"#, "Syntax error (Pos 1)", "#-"),
    QueryErrorCase("ReqMethod eq \\\\\nGET", "Syntax error (Pos 14)", "-------------#-----"),
    QueryErrorCase(";", "Syntax error (Pos 1)", "#"),
    QueryErrorCase("  ;", "Syntax error (Pos 3)", "--#"),
    QueryErrorCase("(;", "Syntax error (Pos 2)", "-^"),
    QueryErrorCase("ReqURL   ;", "Syntax error (Pos 10)", "---------#"),
    QueryErrorCase("ReqURL eq 1 \t;", "Syntax error (Pos 14)", "-------------#"),
    QueryErrorCase("ReqMethod eq GET;", "Syntax error (Pos 17)", "----------------^"),
    QueryErrorCase("ReqURL\n;", "Syntax error (Pos 8)", "-------#"),
    QueryErrorCase("ReqURL \\\n;", "Syntax error (Pos 10)", "---------#"),
    QueryErrorCase("# c\n;", "Syntax error (Pos 5)", "----#"),
    QueryErrorCase("ReqURL ~ (?i)PATH", "Syntax error (Pos 11)", "----------^------"),
    QueryErrorCase("ReqURL eq /path", "Syntax error (Pos 11)", "----------#----"),
    QueryErrorCase("ReqMethod === 1", "Syntax error (Pos 13)", "------------^--"),
    QueryErrorCase("ReqURL ! ReqURL", "Syntax error (Pos 8)", "-------#-------"),
    QueryErrorCase("ReqURL = 1", "Syntax error (Pos 8)", "-------#--"),
    QueryErrorCase("ReqURL & 1", "Syntax error (Pos 8)", "-------#--"),
    // Expressions.
    QueryErrorCase("and", "Expected VSL tag name got 'and' (Pos 1)", "###"),
    QueryErrorCase("or ReqURL", "Expected VSL tag name got 'or' (Pos 1)", "##-------"),
    QueryErrorCase("not", "Expected VSL tag name got '' (Pos 4)", "---"),
    QueryErrorCase("not not ReqMethod", "Expected VSL tag name got 'not' (Pos 5)", "----###----------"),
    QueryErrorCase("not and", "Expected VSL tag name got 'and' (Pos 5)", "----###"),
    QueryErrorCase("ReqURL and", "Expected VSL tag name got '' (Pos 11)", "----------"),
    QueryErrorCase("ReqURL or or ReqURL", "Expected VSL tag name got 'or' (Pos 11)", "----------##-------"),
    QueryErrorCase("()", "Expected VSL tag name got ')' (Pos 2)", "-#"),
    QueryErrorCase("(ReqMethod eq GET", "Expected ')' got end of input (Pos 18)", "-----------------"),
    QueryErrorCase(
      "(ReqMethod eq GET\nReqURL", "Expected ')' got end of input (Pos 18)", "-----------------#------"),
    QueryErrorCase("(ReqURL ReqURL", "Expected operator got 'ReqURL' (Pos 9)", "--------######"),
    QueryErrorCase("ReqMethod eq GET)", "Expected EOI got ')' (Pos 17)", "----------------#"),
    QueryErrorCase("(ReqURL))", "Expected EOI got ')' (Pos 9)", "--------#"),
    QueryErrorCase("ReqMethod )", "Expected EOI got ')' (Pos 11)", "----------#"),
    QueryErrorCase("(ReqURL) ReqURL", "Expected EOI got 'ReqURL' (Pos 10)", "---------######"),
    QueryErrorCase("{1}not ReqURL", "Expected VSL tag name got 'not' (Pos 4)", "---###-------"),
    QueryErrorCase("{1}(ReqURL)", "Expected VSL tag name got '(' (Pos 4)", "---#-------"),
    QueryErrorCase(
      "ReqMethod eq POST\nFoo == 1", "Tag name matches zero tags (Pos 19)", "------------------###-----"),
    QueryErrorCase("ReqMethod eq GET\n\nFoo", "Tag name matches zero tags (Pos 19)", "------------------###"),
    QueryErrorCase(
      "ReqURL == 1 \\\n and Foo", "Tag name matches zero tags (Pos 20)", "-------------------###"),
    // Levels.
    QueryErrorCase("{", "Expected integer got '' (Pos 2)", "-"),
    QueryErrorCase("{}ReqMethod", "Expected integer got '}' (Pos 2)", "-#---------"),
    QueryErrorCase("{and}", "Expected integer got 'and' (Pos 2)", "-###-"),
    QueryErrorCase("{1", "Expected '}' got end of input (Pos 3)", "--"),
    QueryErrorCase("{1\nfoo", "Expected '}' got end of input (Pos 3)", "--#---"),
    QueryErrorCase("{1 ReqMethod", "Expected '}' got 'ReqMethod' (Pos 4)", "---#########"),
    QueryErrorCase("{1}", "Expected VSL tag name got '' (Pos 4)", "---"),
    QueryErrorCase("{1-}", "Expected VSL tag name got '' (Pos 5)", "----"),
    QueryErrorCase("{1}[2]", "Expected VSL tag name got '[' (Pos 4)", "---#--"),
    QueryErrorCase("{-1}ReqMethod", "Expected positive integer (Pos 2)", "-##----------"),
    QueryErrorCase("{-1-}ReqURL", "Expected positive integer (Pos 2)", "-###-------"),
    QueryErrorCase("{-1x}ReqURL", "Expected positive integer (Pos 2)", "-###-------"),
    QueryErrorCase("{x}ReqURL", "Syntax error in level limit (Pos 2)", "-#-------"),
    QueryErrorCase("{1x}ReqURL", "Syntax error in level limit (Pos 2)", "-##-------"),
    QueryErrorCase("{0x1x}ReqURL", "Syntax error in level limit (Pos 2)", "-####-------"),
    QueryErrorCase("{1-+}ReqURL", "Syntax error in level limit (Pos 2)", "-###-------"),
    QueryErrorCase("{1--}ReqURL", "Syntax error in level limit (Pos 2)", "-###-------"),
    QueryErrorCase(#"{"1 "}ReqURL"#, "Syntax error in level limit (Pos 2)", "-####-------"),
    QueryErrorCase("{1.5}ReqURL", "Syntax error in level limit (Pos 2)", "-###-------"),
    QueryErrorCase("{2147483648}ReqURL", "Expected positive integer (Pos 2)", "-##########-------"),
    // Tags.
    QueryErrorCase("Foo", "Tag name matches zero tags (Pos 1)", "###"),
    QueryErrorCase("{01}Foo", "Tag name matches zero tags (Pos 5)", "----###"),
    QueryErrorCase("Re", "Tag name is ambiguous (Pos 1)", "##"),
    QueryErrorCase("R*e*", "Syntax error in tag name (Pos 1)", "####"),
    QueryErrorCase("*x*", "Syntax error in tag name (Pos 1)", "###"),
    QueryErrorCase("**", "Syntax error in tag name (Pos 1)", "##"),
    QueryErrorCase("R*x", "Tag name matches zero tags (Pos 1)", "###"),
    QueryErrorCase(".*", "Tag name matches zero tags (Pos 1)", "##"),
    QueryErrorCase("ReqURL.", "Tag name matches zero tags (Pos 1)", "#######"),
    QueryErrorCase(#""""#, "Tag name matches zero tags (Pos 1)", "##"),
    QueryErrorCase(#""Req URL""#, "Tag name matches zero tags (Pos 1)", "#########"),
    QueryErrorCase("eqGET", "Tag name matches zero tags (Pos 1)", "#####"),
    QueryErrorCase(#""vxid" == 2"#, "Tag name matches zero tags (Pos 1)", "######-----"),
    QueryErrorCase("ReqURL,", "Expected VSL tag name got '' (Pos 8)", "-------"),
    QueryErrorCase("ReqURL,,ReqURL", "Expected VSL tag name got ',' (Pos 8)", "-------#------"),
    QueryErrorCase("ReqMethod,:a", "Expected VSL tag name got ':' (Pos 11)", "----------#-"),
    QueryErrorCase("ReqURLé", "Syntax error (Pos 7)", "------^-"),
    // Prefixes and fields.
    QueryErrorCase("ReqURL:", "Expected string got '' (Pos 8)", "-------"),
    QueryErrorCase("ReqURL:and", "Expected string got 'and' (Pos 8)", "-------###"),
    QueryErrorCase("ReqHeader:[1]", "Expected string got '[' (Pos 11)", "----------#--"),
    QueryErrorCase("ReqURL[", "Expected integer got '' (Pos 8)", "-------"),
    QueryErrorCase("ReqURL[]", "Expected integer got ']' (Pos 8)", "-------#"),
    QueryErrorCase("ReqURL[and]", "Expected integer got 'and' (Pos 8)", "-------###-"),
    QueryErrorCase("ReqURL[1", "Expected ']' got end of input (Pos 9)", "--------"),
    QueryErrorCase(#"ReqURL["1""#, "Expected ']' got end of input (Pos 11)", "----------"),
    QueryErrorCase("ReqURL[0]", "Expected positive integer (Pos 8)", "-------#-"),
    QueryErrorCase("ReqURL[-1]", "Expected positive integer (Pos 8)", "-------##-"),
    QueryErrorCase("ReqURL[1x]", "Expected positive integer (Pos 8)", "-------##-"),
    QueryErrorCase(#"ReqURL["1 "]"#, "Expected positive integer (Pos 8)", "-------####-"),
    QueryErrorCase(#"ReqURL[""]"#, "Expected positive integer (Pos 8)", "-------##-"),
    QueryErrorCase("ReqURL[1.0]", "Expected positive integer (Pos 8)", "-------###-"),
    QueryErrorCase("ReqURL[2147483648]", "Expected positive integer (Pos 8)", "-------##########-"),
    // Operators.
    QueryErrorCase("ReqMethod foo", "Expected operator got 'foo' (Pos 11)", "----------###"),
    QueryErrorCase(#"ReqMethod "str""#, #"Expected operator got '"str"' (Pos 11)"#, "----------#####"),
    QueryErrorCase("ReqMethod not", "Expected operator got 'not' (Pos 11)", "----------###"),
    QueryErrorCase("ReqMethod vxid", "Expected operator got 'vxid' (Pos 11)", "----------####"),
    QueryErrorCase("ReqMethod (", "Expected operator got '(' (Pos 11)", "----------#"),
    QueryErrorCase("ReqMethod {", "Expected operator got '{' (Pos 11)", "----------#"),
    QueryErrorCase("ReqMethod ]", "Expected operator got ']' (Pos 11)", "----------#"),
    QueryErrorCase("ReqMethod }", "Expected operator got '}' (Pos 11)", "----------#"),
    QueryErrorCase("ReqMethod:a:b", "Expected operator got ':' (Pos 12)", "-----------#-"),
    QueryErrorCase("ReqMethod[1][2]", "Expected operator got '[' (Pos 13)", "------------#--"),
    QueryErrorCase("ReqMethod[1]:a", "Expected operator got ':' (Pos 13)", "------------#-"),
    QueryErrorCase("ReqURL ** 1", "Expected operator got '**' (Pos 8)", "-------##--"),
    QueryErrorCase("ReqURL eqGET", "Expected operator got 'eqGET' (Pos 8)", "-------#####"),
    // Operands.
    QueryErrorCase("ReqMethod eq", "Expected string got '' (Pos 13)", "------------"),
    QueryErrorCase("ReqMethod eq and", "Expected string got 'and' (Pos 14)", "-------------###"),
    QueryErrorCase("ReqMethod eq not", "Expected string got 'not' (Pos 14)", "-------------###"),
    QueryErrorCase("ReqMethod eq\nGET", "Expected string got '\n' (Pos 13)", "------------#---"),
    QueryErrorCase("ReqMethod ~", "Expected regular expression got '' (Pos 12)", "-----------"),
    QueryErrorCase("ReqMethod ~\nfoo", "Expected regular expression got '\n' (Pos 12)", "-----------#---"),
    QueryErrorCase("ReqURL ==", "Expected number got '' (Pos 10)", "---------"),
    QueryErrorCase("ReqURL <> 1", "Expected number got '>' (Pos 9)", "--------#--"),
    QueryErrorCase(#"ReqURL eq a"b""#, #"Expected EOI got '"b"' (Pos 12)"#, "-----------###"),
    QueryErrorCase(#"ReqURL eq "a"b"#, "Expected EOI got 'b' (Pos 14)", "-------------#"),
    QueryErrorCase(#"ReqURL=="1"x"#, "Expected EOI got 'x' (Pos 12)", "-----------#"),
    QueryErrorCase("ReqURL eq \"x\" \\\nfoo", "Expected EOI got 'foo' (Pos 17)", "----------------###"),
    // Numbers.
    QueryErrorCase("ReqURL == a", "Integer parse error (Pos 11)", "----------#"),
    QueryErrorCase("ReqURL == -", "Integer parse error (Pos 11)", "----------#"),
    QueryErrorCase("ReqURL == 0x", "Integer parse error (Pos 11)", "----------##"),
    QueryErrorCase("ReqURL == 08", "Integer parse error (Pos 11)", "----------##"),
    QueryErrorCase("ReqURL == 1e1", "Integer parse error (Pos 11)", "----------###"),
    QueryErrorCase("ReqAcct[3] == 8x", "Integer parse error (Pos 15)", "--------------##"),
    QueryErrorCase(#"ReqURL == "- 5""#, "Integer parse error (Pos 11)", "----------#####"),
    QueryErrorCase(#"ReqURL == "5 5""#, "Integer parse error (Pos 11)", "----------#####"),
    QueryErrorCase("ReqURL == .", "Floating point parse error (Pos 11)", "----------#"),
    QueryErrorCase(#"ReqURL == "-.""#, "Floating point parse error (Pos 11)", "----------####"),
    QueryErrorCase(#"ReqURL == " .""#, "Floating point parse error (Pos 11)", "----------####"),
    QueryErrorCase("ReqURL == +1.5", "Floating point parse error (Pos 11)", "----------####"),
    QueryErrorCase("ReqURL == 1.2.3", "Floating point parse error (Pos 11)", "----------#####"),
    QueryErrorCase("ReqURL == 1.2e1", "Floating point parse error (Pos 11)", "----------#####"),
    QueryErrorCase("ReqAcct[3] == 8.6x", "Floating point parse error (Pos 15)", "--------------####"),
    QueryErrorCase(#"ReqURL == "1. 5""#, "Floating point parse error (Pos 11)", "----------######"),
    QueryErrorCase(#"ReqURL == "1.5 x""#, "Floating point parse error (Pos 11)", "----------#######"),
    QueryErrorCase("ReqURL == \"\u{0B}1.5\"", "Floating point parse error (Pos 11)", "----------######"),
    QueryErrorCase("ReqURL == \"1.5\u{0B}\"", "Floating point parse error (Pos 11)", "----------######"),
    QueryErrorCase(
      "ReqURL == 1000000000000.0", "Floating point parse error (Pos 11)", "----------###############"),
    QueryErrorCase(
      "ReqURL == 0000000000000001.0", "Floating point parse error (Pos 11)", "----------##################"),
    // Regular expressions.
    QueryErrorCase(
      #"ReqURL ~ "(""#, "Regular expression error: missing closing parenthesis (Pos 11)", "---------#^#"),
    QueryErrorCase(
      #"ReqURL ~ "\"(""#, "Regular expression error: missing closing parenthesis (Pos 12)", "---------##^##"),
    QueryErrorCase(
      #"ReqURL ~ "a)""#, "Regular expression error: unmatched closing parenthesis (Pos 11)", "---------#^##"),
    QueryErrorCase(
      #"ReqURL ~ "\\""#, #"Regular expression error: \ at end of pattern (Pos 11)"#, "---------#^##"),
    QueryErrorCase(
      #"ReqURL ~ "[a""#, "Regular expression error: missing terminating ] for character class (Pos 12)",
      "---------##^#"),
    QueryErrorCase(
      "ReqMethod ~ *", "Regular expression error: quantifier does not follow a repeatable item (Pos 13)",
      "------------^"),
    QueryErrorCase(
      "ReqURL !~ a+++", "Regular expression error: quantifier does not follow a repeatable item (Pos 14)",
      "----------###^"),
    QueryErrorCase(
      #"ReqURL ~ "a{99999}""#, "Regular expression error: number too big in {} quantifier (Pos 17)",
      "---------#######^##"),
    QueryErrorCase(
      #"ReqURL ~ "(?z)""#, "Regular expression error: unrecognized character after (? or (?- (Pos 12)",
      "---------##^###"),
    // Vxid.
    QueryErrorCase("vxid", "Expected vxid operator got '' (Pos 5)", "----"),
    QueryErrorCase("(vxid)", "Expected vxid operator got ')' (Pos 6)", "-----#"),
    QueryErrorCase("not vxid", "Expected vxid operator got '' (Pos 9)", "--------"),
    QueryErrorCase("vxid eq 2", "Expected vxid operator got 'eq' (Pos 6)", "-----##--"),
    QueryErrorCase("vxid ~ 1", "Expected vxid operator got '~' (Pos 6)", "-----#--"),
    QueryErrorCase("vxid vxid", "Expected vxid operator got 'vxid' (Pos 6)", "-----####"),
    QueryErrorCase("vxid ==", "Expected number got '' (Pos 8)", "-------"),
    QueryErrorCase("vxid == foo", "Integer parse error (Pos 9)", "--------###"),
    QueryErrorCase("vxid == 2x", "Integer parse error (Pos 9)", "--------##"),
    QueryErrorCase("vxid == 2.0", "Expected integer got '2.0' (Pos 9)", "--------^##"),
    QueryErrorCase("vxid == 2 2", "Expected EOI got '2' (Pos 11)", "----------#"),
    QueryErrorCase("vxid,", "Expected VSL tag name got '' (Pos 6)", "-----"),
    QueryErrorCase("vxid:", "Expected string got '' (Pos 6)", "-----"),
    QueryErrorCase("vxid[", "Expected integer got '' (Pos 6)", "-----"),
    QueryErrorCase("vxid[0]", "Expected positive integer (Pos 6)", "-----#-"),
    QueryErrorCase("{x}vxid", "Syntax error in level limit (Pos 2)", "-#-----"),
    QueryErrorCase("vxid,Foo == 2", "Tag name matches zero tags (Pos 6)", "-----###-----"),
    QueryErrorCase("vxid,ReqURL == 2", "Unexpected taglist selection for vxid (Pos 13)", "------------##--"),
    QueryErrorCase("vxid,vxid", "Unexpected taglist selection for vxid (Pos 10)", "---------"),
    QueryErrorCase("ReqURL,vxid", "Unexpected taglist selection for vxid (Pos 12)", "-----------"),
    QueryErrorCase("{1}vxid == 2", "Unexpected taglist selection for vxid (Pos 9)", "--------##--"),
    QueryErrorCase("vxid:a", "Unexpected taglist selection for vxid (Pos 7)", "------"),
    QueryErrorCase("vxid:a == 2", "Unexpected taglist selection for vxid (Pos 8)", "-------##--"),
    QueryErrorCase("vxid[1] == 2", "Unexpected taglist selection for vxid (Pos 9)", "--------##--"),
    // Nothing.
    QueryErrorCase("", "", ""),
    QueryErrorCase("# foo", "", ""),
    QueryErrorCase("\n\n", "", ""),
    QueryErrorCase(" \\\n", "", ""),
  ]
}
