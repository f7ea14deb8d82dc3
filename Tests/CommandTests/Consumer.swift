import TestSupport

/// A program at the other end of an output, and how it behaves.
final class Consumer {
  /// How the program is reached.
  enum Kind: String, CaseIterable {
    case exec, fifo, unix, tcp, datagram
  }

  /// What it does.
  enum Way: String, CaseIterable {
    /// It isn't there, and never comes.
    case absent
    /// It is there, and takes nothing.
    case stuck
    /// It goes in the middle of a line, and another comes in its place.
    case replaced
    /// It goes, and none comes.
    case gone
    /// It takes a little at a time.
    case slow
  }

  /// Where it is, as the settings of an output say it.
  let target: String
  private let got: String
  private let child: ChildProcess?

  /// Makes it, and waits until it is there.
  init(_ kind: Kind, _ way: Way, _ home: TemporaryDirectory) throws(SupportError) {
    got = home.file("got")
    let program = home.file("consumer.pl")
    try writeFile(program, Self.program.utf8)
    let address = home.file("address")
    switch kind {
    case .exec:
      child = nil
      target = "exec='exec perl \(program) \(way) exec - \(got)'"
    case .fifo, .unix, .tcp, .datagram:
      let child = try ChildProcess(Command("perl", [program, way.rawValue, kind.rawValue, address, got]))
      let port = try child.output?.line(containing: "up", by: .after(.seconds(30))).dropFirst(3)
      target =
        switch kind {
        case .fifo: "file=\(address)"
        case .tcp: "socket=tcp:127.0.0.1:\(port ?? "")"
        default: "socket=unix:\(address)"
        }
      self.child = child
    }
  }

  /// The whole lines that it has taken.
  func lines() -> [String] {
    let text = (try? readText(got)) ?? ""
    return text.split(separator: "\n").map(String.init)
  }

  /// Takes lines and puts them into a file; where it goes, that happens with the first fifty.
  private static let program = """
    use strict; use IO::Socket; use IO::Select;
    my ($way, $kind, $address, $got) = @ARGV;
    $| = 1;
    open(my $out, '>>', $got) or die;
    $out->autoflush(1);
    my ($listener, $port) = (undef, '');
    sub bound {
      return IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $address) if $kind eq 'datagram';
      return IO::Socket::UNIX->new(Local => $address, Listen => 5) if $kind eq 'unix';
      # One that is bound and doesn't listen refuses, and keeps the port from others.
      my @listen = $way eq 'absent' ? () : (Listen => 5);
      return IO::Socket::INET->new(LocalAddr => '127.0.0.1', Proto => 'tcp', @listen);
    }
    sub input {
      return \\*STDIN if $kind eq 'exec';
      if ($kind eq 'fifo') { open(my $in, '<', $address) or die; return $in; }
      return $listener if $kind eq 'datagram';
      return $listener->accept;
    }
    if ($kind eq 'exec') { exit 127 if $way eq 'absent'; }
    elsif ($kind eq 'fifo') { system('mkfifo', $address); }
    elsif ($way ne 'absent' || $kind eq 'tcp') {
      $listener = bound() or die; $port = $listener->sockport if $kind eq 'tcp';
    }
    print "up $port\\n";
    sleep 1000 if $way eq 'absent';
    # Whoever runs it again, as the program does, gets one that stays.
    my $stays = $way ne 'replaced' && $way ne 'gone' || -s $got;
    while (1) {
      my $in = input();
      sleep 1000 if $way eq 'stuck';
      my ($rest, $count) = ('', 0);
      while ($stays || $count < 50) {
        my $chunk;
        if ($kind eq 'datagram') { last unless defined $in->recv($chunk, 65536); $chunk .= "\\n"; }
        else { last unless sysread($in, $chunk, $way eq 'slow' ? 500 : 4000); }
        $rest .= $chunk;
        while ($rest =~ s/^(.*\\n)//) { print $out $1; $count++; }
        select(undef, undef, undef, 0.002) if $way eq 'slow';
      }
      exit 0 if $kind eq 'exec' || $way eq 'gone' && !$stays;
      close $in;
      $stays = 1;
      if ($kind eq 'datagram') { unlink $address; $listener = bound() or die; }
    }
    """
}
