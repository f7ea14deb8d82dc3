#ifndef SPILLWAY_CSHIMS_H
#define SPILLWAY_CSHIMS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Words of a log are written by another process while we read them. A plain Swift load may be merged,
// repeated or hoisted by the optimiser; these are single loads that it must keep, with the ordering that
// the log's protocol asks for.

/// Loads an aligned 32-bit word that another process may store at any moment; later loads stay behind it.
static inline uint32_t shim_load_acquire_u32(const void *p) {
  return __atomic_load_n((const uint32_t *)p, __ATOMIC_ACQUIRE);
}

/// Loads an aligned 16-bit word that another process may store at any moment.
///
/// Not with `__atomic_load_n`: the compiler widens its result by a separate instruction, for which a walk
/// along lengths waits.
static inline uint64_t shim_load_u16(const void *p) { return *(const volatile uint16_t *)p; }

/// The first word boundary at or behind `p + n`.
///
/// The result is there one addition and one `and` after `n`, which a walk loads from memory each time. `asm` keeps the
/// compiler from adding the constant after `n`, which takes another cycle.
static inline const void *shim_round_up(const void *p, uint64_t n) {
  uint64_t sum = (uint64_t)(uintptr_t)p + 3;
  __asm__("" : "+r"(sum));
  return (const void *)(uintptr_t)((sum + n) & ~(uint64_t)3);
}

/// Loads an aligned 64-bit word that another process may store at any moment; later loads stay behind it.
static inline uint64_t shim_load_acquire_u64(const void *p) {
  return __atomic_load_n((const uint64_t *)p, __ATOMIC_ACQUIRE);
}

/// Keeps every load before this call before every load after it.
static inline void shim_fence_acquire(void) { __atomic_thread_fence(__ATOMIC_ACQUIRE); }

// For a log's writer: single stores, which other processes see in the order that each store asks for.

/// Stores an aligned 32-bit word in one piece.
static inline void shim_store_u32(void *p, uint32_t value) {
  __atomic_store_n((uint32_t *)p, value, __ATOMIC_RELAXED);
}

/// Stores an aligned 32-bit word in one piece, so that all earlier stores are seen before it.
static inline void shim_store_release_u32(void *p, uint32_t value) {
  __atomic_store_n((uint32_t *)p, value, __ATOMIC_RELEASE);
}

/// Stores an aligned 64-bit word in one piece.
static inline void shim_store_u64(void *p, uint64_t value) {
  __atomic_store_n((uint64_t *)p, value, __ATOMIC_RELAXED);
}

/// Stores an aligned 64-bit word in one piece, so that all earlier stores are seen before it.
static inline void shim_store_release_u64(void *p, uint64_t value) {
  __atomic_store_n((uint64_t *)p, value, __ATOMIC_RELEASE);
}

/// Adds to an aligned 64-bit word to which other threads and processes may add as well.
static inline void shim_add_u64(void *p, uint64_t amount) {
  (void)__atomic_fetch_add((uint64_t *)p, amount, __ATOMIC_RELAXED);
}

/// Keeps every store before this call before every store after it.
static inline void shim_fence_release(void) { __atomic_thread_fence(__ATOMIC_RELEASE); }

/// Asks for memory that will soon be read. Any address will do, even one that isn't mapped.
static inline void shim_prefetch(const void *p) { __builtin_prefetch(p); }

// A mapped file that is truncated by its owner makes the kernel raise SIGBUS at the next access. For the
// regions registered here the handler puts zero pages under the access instead: the reader finds zeros,
// which no log has at a record's place, and reports a damaged log.

/// Registers a mapping; installs the handler at the first call. At most 64 are guarded at a time.
void shim_guard_region(void *start, size_t size);

/// Registers shared memory that is written too, and returns the number of its entry, or -1 if it is not
/// guarded. A page for which the file has no block is replaced by zeros private to this process, and counted.
int shim_guard_shared_region(void *start, size_t size);

/// Changes the guarded size of shared memory.
void shim_resize_guard(int slot, size_t size);

/// How many pages of shared memory were replaced by zeros.
uint32_t shim_guard_faults(int slot);

/// Takes a mapping off the list; call it before unmapping.
void shim_unguard_region(void *start);

/// Advice to get memory for all pages of a range at once, which the headers of older systems don't know.
static const int shim_madv_populate_write = 23;

// Calls of Linux that are not in Swift's module of the C library. Each returns -1 with errno set if it fails.

/// Makes a file in memory that has no name, closed when another program is executed.
int shim_anonymous_file(const char *label);

/// Makes a file on a directory's file system without a name, which disappears once it is closed.
int shim_nameless_file(const char *directory);

/// Opens a directory inside another one, only to reach files in it; fails with ENOTDIR for a symbolic link.
int shim_reach_directory(int parent, const char *name);

/// Allocates blocks for a range of a file, with zeros where it had none. With `extends` the file reaches at
/// least to the range's end afterwards; otherwise its size doesn't change.
int shim_allocate_blocks(int descriptor, int64_t offset, int64_t count, _Bool extends);

/// Releases the blocks of a range, which then reads as zeros.
int shim_punch_hole(int descriptor, int64_t offset, int64_t count);

/// Waits for the lock of a whole file, which belongs to the open file description, not to the process: it is
/// released when that is closed, however the process ends.
int shim_lock_file(int descriptor);

/// Releases a file's lock.
int shim_unlock_file(int descriptor);

/// Takes the lock by which a log's writer keeps other writers away, without waiting; errno is set if that
/// fails. The lock belongs to the open file description, and ends with it.
int shim_try_lock_log(int descriptor);

/// Releases that lock, even if a child that is about to execute another program has the descriptor as well.
void shim_unlock_log(int descriptor);

/// Renames a file to a name that is free, in one step: EEXIST if it isn't free, EINVAL or ENOSYS where the
/// file system or the kernel can't do that.
int shim_rename_to_new(const char *old_path, const char *new_path);

/// Reads an attribute of the file with this name, without following a symbolic link: returns its size, or -1
/// with errno set; ENODATA if there is no such attribute.
int64_t shim_attribute(const char *path, const char *name, void *bytes, size_t count);

/// Sets an attribute of an open file.
int shim_set_attribute(int descriptor, const char *name, const void *bytes, size_t count);

/// The creation time of an open file, in nanoseconds since 1970; 0 if the file system doesn't record it.
int64_t shim_file_birth(int descriptor);

/// The largest size a file of this process may have; writing beyond it would raise a signal.
uint64_t shim_file_size_limit(void);

// Signals that are read from a descriptor. The C library's names for this are not in Swift's module of it.

/// Blocks these signals in the calling thread and in all threads it starts, and returns a non-blocking
/// descriptor from which they are read instead; -1 with errno set if that fails.
int shim_signal_descriptor(const int *signals, int count);

/// The next signal that came in; 0 if there is none.
int shim_read_signal(int descriptor);

// Pipes and processes: the C library's names for these calls are not in Swift's module of it, either.

/// A pipe that no other program inherits; -1 with errno set if that fails.
int shim_closing_pipe(int ends[2]);

/// How many bytes a pipe holds; -1 if that can't be known.
int shim_pipe_capacity(int descriptor);

/// Has a child that is about to be started close every descriptor from this one on; `actions` is a
/// `posix_spawn_file_actions_t *`. Returns an error number, or 0.
int shim_spawn_close_from(void *actions, int first);

/// A descriptor that becomes readable when a process ends; -1 with errno set where there is none.
int shim_watch_process(int process);

/// The largest window that the peer of a TCP connection can announce, which is more than its system holds
/// unread for the peer; -1 if that can't be known.
int64_t shim_peer_window_max(int descriptor);

/// Leaves a process behind that waits for the end of another process, as this process no longer can, and then
/// records the end in an attribute of a file: the first of the paths if it leads to this file, and otherwise,
/// if there is no file at the first path, the first of the other paths that leads to a file without that
/// attribute. A signal ends the process without a note. The list of paths ends with NULL. Returns 0, or -1
/// with errno set.
int shim_leave_note_of_end(int process_descriptor, const char *const *paths, uint64_t device, uint64_t inode,
                           const char *name, const void *bytes, size_t count);

/// A descriptor that is readable once it was signalled, and doesn't block; -1 with errno set if there is none left.
int shim_event(void);

/// Makes an event's descriptor readable.
void shim_signal_event(int descriptor);

/// Makes an event's descriptor unreadable again, however often it was signalled.
void shim_clear_event(int descriptor);

// The program's arguments. Swift finds its own list by walking back from the environment, which has moved if
// a preloaded library has changed a variable before main.

/// How many arguments the program was started with, its name included; 0 is possible.
int shim_argument_count(void);

/// An argument; null where there is none.
const char *shim_argument(int index);

// How many processors this process may run on; one if that can't be found out.
int shim_processor_count(void);

/// Corrects what a process has inherited: standard descriptors that are closed are opened, signals get their
/// default action, and none is blocked. A container's first process starts a child, in which alone this
/// returns. Returns whether hang-ups were ignored. Call it at the very beginning, when there is one thread.
int shim_settle_inherited_state(void);

/// Removes the code of the program and its libraries from this process's memory; code that still runs is
/// mapped again, from the page cache.
void shim_release_program(void);

/// Unblocks all signals in the calling thread.
void shim_unblock_signals(void);

/// `fork`, which Swift's module of the C library makes unavailable: the child has only the calling thread.
int shim_fork(void);

/// Has the system send this process a signal when its parent ends; none, if 0.
void shim_end_with_parent(int signal);

/// Redirects the standard descriptors to /dev/null; -1 with errno set if that fails.
int shim_discard_standard_descriptors(void);

/// Writes a line to the system's log, which may block.
void shim_log(const char *program, const char *text);

#include "privileges.h"
#include "sandbox.h"
#include "text.h"
#include "unixsocket.h"

#endif
