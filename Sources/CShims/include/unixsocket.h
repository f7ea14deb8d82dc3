#ifndef SPILLWAY_UNIXSOCKET_H
#define SPILLWAY_UNIXSOCKET_H

#include <stddef.h>
#include <stdint.h>

// Unix-domain sockets. They never wait, and no other program inherits them.

/// Makes a socket for connections; -1 with errno set if that fails.
int shim_stream_socket(void);

/// Makes a socket for messages; -1 with errno set if that fails.
int shim_message_socket(void);

/// How many bytes a path may have.
size_t shim_socket_path_max(void);

/// Connects to a path, or to an abstract name that begins with NUL. Returns 0, or -1 with errno set.
int shim_connect_local(int descriptor, const void *path, size_t count);

/// Binds a socket to a path where no file exists. At any moment, the file has only the permissions of the
/// mode, or fewer by the umask. Returns 0, or -1 with errno set.
int shim_bind_local(int descriptor, const char *path, uint32_t mode);

/// Gives the socket file at a path these permissions and this owner; -1 leaves the present owner or group.
/// Any file but the socket file of this identity is left alone. Returns 0, or -1 with errno set.
int shim_settle_socket_file(const char *path, uint64_t device, uint64_t inode, uint32_t mode, uint32_t owner,
                            uint32_t group);

/// Accepts a waiting connection; -1 with errno set if there is none.
int shim_accept(int descriptor);

/// Sends bytes without waiting and without a signal. Returns how many were sent, or -1 with errno set.
int64_t shim_send(int descriptor, const void *bytes, size_t count);

#endif
