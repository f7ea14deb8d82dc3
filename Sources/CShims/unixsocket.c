#define _GNU_SOURCE
#include "CShims.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int shim_stream_socket(void) { return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

int shim_message_socket(void) { return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

size_t shim_socket_path_max(void) { return sizeof((struct sockaddr_un *)0)->sun_path - 1; }

static int set_address(struct sockaddr_un *address, socklen_t *length, const void *path, size_t count) {
  if (count == 0 || count > shim_socket_path_max()) {
    errno = ENAMETOOLONG;
    return -1;
  }
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  memcpy(address->sun_path, path, count);
  // The terminator is part of a path, but would be part of an abstract name, too.
  *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + count + (address->sun_path[0] != 0));
  return 0;
}

int shim_connect_local(int descriptor, const void *path, size_t count) {
  struct sockaddr_un address;
  socklen_t length;
  if (set_address(&address, &length, path, count) < 0) return -1;
  return connect(descriptor, (struct sockaddr *)&address, length);
}

int shim_bind_local(int descriptor, const char *path, uint32_t mode) {
  struct sockaddr_un address;
  socklen_t length;
  if (set_address(&address, &length, path, strlen(path)) < 0) return -1;
  // The file gets the permissions that the socket has by then.
  if (fchmod(descriptor, mode) < 0) return -1;
  return bind(descriptor, (struct sockaddr *)&address, length);
}

int shim_settle_socket_file(const char *path, uint64_t device, uint64_t inode, uint32_t mode, uint32_t owner,
                            uint32_t group) {
  int file = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0) return -1;
  struct stat status;
  int result = fstat(file, &status);
  if (result == 0 && (status.st_dev != device || status.st_ino != inode || !S_ISSOCK(status.st_mode))) {
    errno = ESTALE;
    result = -1;
  }
  if (result == 0 && (owner != UINT32_MAX || group != UINT32_MAX))
    result = fchownat(file, "", owner, group, AT_EMPTY_PATH);
  if (result == 0 && (status.st_mode & 07777) != mode) {
    // fchmod refuses such a descriptor; where there is no /proc, the name will do.
    char name[32];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    result = chmod(name, mode);
    if (result < 0 && errno == ENOENT) result = chmod(path, mode);
  }
  int error = errno;
  close(file);
  errno = error;
  return result;
}

int shim_accept(int descriptor) { return accept4(descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

int64_t shim_send(int descriptor, const void *bytes, size_t count) {
  return send(descriptor, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
}
