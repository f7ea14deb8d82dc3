#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "CShims.h"

int shim_anonymous_file(const char *label) { return memfd_create(label, MFD_CLOEXEC); }

int shim_reach_directory(int parent, const char *name) {
  return openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int shim_allocate_blocks(int descriptor, int64_t offset, int64_t count, _Bool extends) {
  return fallocate(descriptor, extends ? 0 : FALLOC_FL_KEEP_SIZE, offset, count);
}

int shim_punch_hole(int descriptor, int64_t offset, int64_t count) {
  return fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, count);
}

int shim_lock_file(int descriptor) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  return fcntl(descriptor, F_OFD_SETLKW, &lock);
}

int shim_unlock_file(int descriptor) {
  struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
  return fcntl(descriptor, F_OFD_SETLK, &lock);
}

int64_t shim_peer_window_max(int descriptor) {
  struct tcp_info info;
  socklen_t size = sizeof info;
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return -1;
  return (int64_t)65535 << info.tcpi_snd_wscale;
}

int shim_try_lock_log(int descriptor) { return flock(descriptor, LOCK_EX | LOCK_NB); }

void shim_unlock_log(int descriptor) { (void)flock(descriptor, LOCK_UN); }

int shim_rename_to_new(const char *old_path, const char *new_path) {
  return renameat2(AT_FDCWD, old_path, AT_FDCWD, new_path, RENAME_NOREPLACE);
}

int64_t shim_attribute(const char *path, const char *name, void *bytes, size_t count) {
  return lgetxattr(path, name, bytes, count);
}

int shim_set_attribute(int descriptor, const char *name, const void *bytes, size_t count) {
  return fsetxattr(descriptor, name, bytes, count, 0);
}

int shim_spawn_close_from(void *actions, int first) {
  return posix_spawn_file_actions_addclosefrom_np(actions, first);
}

uint64_t shim_file_size_limit(void) {
  struct rlimit limit;
  return getrlimit(RLIMIT_FSIZE, &limit) == 0 ? (uint64_t)limit.rlim_cur : UINT64_MAX;
}

int64_t shim_file_birth(int descriptor) {
  struct statx status;
  if (statx(descriptor, "", AT_EMPTY_PATH, STATX_BTIME, &status) != 0) return 0;
  if (!(status.stx_mask & STATX_BTIME)) return 0;
  return status.stx_btime.tv_sec * 1000000000 + status.stx_btime.tv_nsec;
}
