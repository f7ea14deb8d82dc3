"""A varnishd that answers everything by itself, and load for it."""

import subprocess
import threading
import time

from .failure import Failure, run

_VCL = """vcl 4.1;
backend default none;
sub vcl_recv {
  if (req.url ~ "^/error/") { return (synth(503)); }
  return (synth(200));
}
sub vcl_synth {
  unset resp.http.Retry-After;
  set resp.body = "";
  return (deliver);
}
"""

# Several requests in flight at once; every fiftieth fails.
_REQUESTS = """
local number = 0
function request()
  local batch = {}
  for index = 1, 8 do
    number = number + 1
    local kind = number % 50 == 0 and "/error/" or "/some/page/"
    batch[index] = wrk.format("GET", kind .. number .. "?of=some&length=" .. number % 97)
  end
  return table.concat(batch)
end
"""
_CONNECTIONS = 8


class Varnish:
    def __init__(self, home):
        self.directory = home / "varnish"
        vcl, self.script = home / "vcl", home / "wrk.lua"
        vcl.write_text(_VCL)
        self.script.write_text(_REQUESTS)
        self.manager = subprocess.Popen(
            ["varnishd", "-F", "-n", self.directory, "-j", "none", "-s", "malloc,32m", "-a", "127.0.0.1:0",
             "-p", "vsl_space=256m", "-p", "thread_stats_rate=1", "-f", vcl],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in self.manager.stdout:
            if "said Child starts" in line:
                break
        else:
            raise Failure("varnishd does not start")
        threading.Thread(target=self.manager.stdout.read, daemon=True).start()
        self.port = int(run(["varnishadm", "-n", self.directory, "debug.listen_address"]).split()[2])

    def served(self):
        """How many requests it has counted, once that stays the same: its threads tell late what they have done."""
        count = -1
        while (now := self._counted()) != count:
            count = now
            time.sleep(0.5)
        return count

    def load(self, seconds):
        run(["wrk", "-t", "1", "-c", _CONNECTIONS, "-d", f"{seconds:.0f}s", "-s", self.script,
             f"http://127.0.0.1:{self.port}"])

    def stop(self):
        self.manager.terminate()
        self.manager.wait()

    def _counted(self):
        return int(run(["varnishstat", "-n", self.directory, "-1", "-f", "MAIN.client_req"]).split()[1])
