#ifndef SPILLWAY_SANDBOX_H
#define SPILLWAY_SANDBOX_H

#include <stdint.h>

// Landlock, by which a thread limits itself. Defined here, since the headers of a build environment may be older than
// the kernel that the program runs on; numbers and layouts are the kernel's and never change.

// Rights to files. The interface versions that introduced them: 1 up to MAKE_SYM, 2, 3, 5.
enum {
  shim_sandbox_execute = 1 << 0,
  shim_sandbox_write_file = 1 << 1,
  shim_sandbox_read_file = 1 << 2,
  shim_sandbox_read_directory = 1 << 3,
  shim_sandbox_remove_directory = 1 << 4,
  shim_sandbox_remove_file = 1 << 5,
  shim_sandbox_make_character_device = 1 << 6,
  shim_sandbox_make_directory = 1 << 7,
  shim_sandbox_make_file = 1 << 8,
  shim_sandbox_make_socket = 1 << 9,
  shim_sandbox_make_fifo = 1 << 10,
  shim_sandbox_make_block_device = 1 << 11,
  shim_sandbox_make_link = 1 << 12,
  shim_sandbox_refer = 1 << 13,
  shim_sandbox_truncate = 1 << 14,
  shim_sandbox_device_control = 1 << 15,
};

// Rights over TCP, from interface 4 on.
enum { shim_sandbox_bind_tcp = 1 << 0, shim_sandbox_connect_tcp = 1 << 1 };

// Scopes, which limit access to processes under the same limits, from interface 6 on.
enum { shim_sandbox_scope_abstract_sockets = 1 << 0, shim_sandbox_scope_signals = 1 << 1 };

/// The version of the kernel's interface; 0 with errno set if it has none, or has it turned off.
int shim_sandbox_interface(void);

/// Begins a set of rules: the rights given here are refused unless a rule allows them. A field that the
/// interface doesn't know must be 0. Returns a descriptor, or -1 with errno set.
int shim_sandbox_begin(uint64_t file_rights, uint64_t network_rights, uint64_t scopes);

/// Allows rights to the file or directory that a path leads to and, for a directory, to everything beneath
/// it; for a file, only the rights that files have. Returns 0, or -1 with errno set.
int shim_sandbox_allow(int rules, const char *path, uint64_t rights);

/// Applies the rules to the calling thread and to the threads that it starts from now on. The thread must
/// have forgone new privileges. Returns 0, or -1 with errno set.
int shim_sandbox_enter(int rules);

#endif
