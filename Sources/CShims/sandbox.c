#define _GNU_SOURCE
#include "CShims.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// The calls have the same numbers on every architecture.
enum { call_create_rules = 444, call_add_rule = 445, call_restrict_self = 446 };

enum { create_asks_for_version = 1 << 0, rule_path_beneath = 1 };

struct rules_attributes {
  uint64_t file_rights;
  uint64_t network_rights;
  uint64_t scopes;
};

struct path_attributes {
  uint64_t rights;
  int32_t directory;
} __attribute__((packed));

int shim_sandbox_interface(void) {
  long version = syscall(call_create_rules, NULL, (size_t)0, create_asks_for_version);
  return version > 0 ? (int)version : 0;
}

int shim_sandbox_begin(uint64_t file_rights, uint64_t network_rights, uint64_t scopes) {
  // A kernel accepts a field that it doesn't know if the field is 0.
  struct rules_attributes attributes = {file_rights, network_rights, scopes};
  return (int)syscall(call_create_rules, &attributes, sizeof attributes, 0);
}

int shim_sandbox_allow(int rules, const char *path, uint64_t rights) {
  const uint64_t rights_over_files = shim_sandbox_execute | shim_sandbox_write_file | shim_sandbox_read_file |
                                     shim_sandbox_truncate | shim_sandbox_device_control;
  int place = open(path, O_PATH | O_CLOEXEC);
  if (place < 0) return -1;
  struct stat status;
  int result = fstat(place, &status);
  if (result == 0) {
    struct path_attributes attributes = {rights, place};
    if (!S_ISDIR(status.st_mode)) attributes.rights &= rights_over_files;
    // The kernel refuses a rule without rights.
    if (attributes.rights != 0) result = (int)syscall(call_add_rule, rules, rule_path_beneath, &attributes, 0);
  }
  int error = errno;
  close(place);
  errno = error;
  return result;
}

int shim_sandbox_enter(int rules) { return (int)syscall(call_restrict_self, rules, 0); }
