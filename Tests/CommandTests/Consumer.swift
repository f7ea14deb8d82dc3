import TestSupport

/// A program at the other end of an output, which behaves in a given way.
final class Consumer {
  /// How the program is reached.
  enum Kind: String, CaseIterable {
    case exec, fifo, unix, tcp, datagram
  }

  /// The program's behaviour.
  enum Way: String, CaseIterable {
    /// The program isn't there, and never comes.
    case absent
    /// The program is there, but reads nothing.
    case stuck
    /// The program ends in the middle of a line, and another takes its place.
    case replaced
    /// The program ends, and no other comes.
    case gone
    /// The program reads a little at a time.
    case slow
  }

  /// The consumer's address, as the settings of an output give it.
  let target: String
  private let got: String
  private let child: ChildProcess?

  /// Makes the consumer, and waits until it is there.
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

  /// The whole lines that the consumer has read.
  func lines() -> [String] {
    let text = (try? readText(got)) ?? ""
    return text.split(separator: "\n").map(String.init)
  }

  /// Reads lines and writes them to a file; a program that is to end does so with the first fifty.
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
