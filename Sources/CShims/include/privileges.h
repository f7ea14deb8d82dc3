#ifndef SPILLWAY_PRIVILEGES_H
#define SPILLWAY_PRIVILEGES_H

#include <stddef.h>
#include <stdint.h>

// Giving up what a process may do. glibc's wrappers change users and groups for all threads of the process, where
// the kernel's calls are for the calling one alone; capabilities and "no new privileges" stay the thread's own, and
// are inherited by the threads it starts.

/// Sets real, effective and saved group of all threads; -1 with errno set if that fails.
int shim_set_group(uint32_t group);

/// Sets real, effective and saved user of all threads; -1 with errno set if that fails.
int shim_set_user(uint32_t user);

/// Sets the supplementary groups of all threads; -1 with errno set if that fails.
int shim_set_groups(const uint32_t *groups, size_t count);

/// Has what the calling thread executes get no capability by inheritance: the ambient set is cleared, the bounding
/// set emptied as far as that is permitted, and none is kept over a change of the user. -1 with errno set if that
/// fails.
int shim_forgo_inheritance(void);

/// Empties all capability sets of the calling thread; -1 with errno set if that fails.
int shim_clear_capabilities(void);

/// Has no program that the calling thread executes gain anything by set-user-ID bits or file capabilities; -1 with
/// errno set if that fails.
int shim_forbid_new_privileges(void);

/// Whether the calling thread is of this user and group alone and has no capability left: 1 if so, 0 if not, -1 with
/// errno set if that can't be found out.
int shim_has_only(uint32_t user, uint32_t group);

#endif
