#ifndef SPILLWAY_PRIVILEGES_H
#define SPILLWAY_PRIVILEGES_H

#include <stddef.h>
#include <stdint.h>

// Gives up privileges. glibc's wrappers change users and groups for all threads of the process, where the
// kernel's calls change only the calling thread; capabilities and "no new privileges" are per thread, and
// inherited by the threads that a thread starts.

/// Sets real, effective and saved group of all threads; -1 with errno set if that fails.
int shim_set_group(uint32_t group);

/// Sets real, effective and saved user of all threads; -1 with errno set if that fails.
int shim_set_user(uint32_t user);

/// Sets the supplementary groups of all threads; -1 with errno set if that fails.
int shim_set_groups(const uint32_t *groups, size_t count);

/// Keeps programs that the calling thread executes from inheriting capabilities: the ambient set is cleared,
/// the bounding set is emptied as far as that is permitted, and no capability is kept when the user changes.
/// -1 with errno set if that fails.
int shim_forgo_inheritance(void);

/// Empties all capability sets of the calling thread; -1 with errno set if that fails.
int shim_clear_capabilities(void);

/// Keeps programs that the calling thread executes from gaining privileges by set-user-ID bits or file
/// capabilities; -1 with errno set if that fails.
int shim_forbid_new_privileges(void);

/// Whether the calling thread has only this user and group and no capability left: 1 if so, 0 if not, -1 with
/// errno set if that can't be determined.
int shim_has_only(uint32_t user, uint32_t group);

#endif
