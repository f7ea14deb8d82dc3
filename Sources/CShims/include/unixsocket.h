#ifndef SPILLWAY_UNIXSOCKET_H
#define SPILLWAY_UNIXSOCKET_H

#include <stddef.h>
#include <stdint.h>

// Sockets of this machine. None of them waits, and none is inherited by other programs.

/// A socket for connections; -1 with errno set if there is none.
int shim_stream_socket(void);

/// A socket for messages; -1 with errno set if there is none.
int shim_message_socket(void);

/// How many bytes a path may have.
size_t shim_socket_path_max(void);

/// Connects to a path, or to an abstract name that begins with NUL. Returns 0, or -1 with errno set.
int shim_connect_local(int descriptor, const void *path, size_t count);

/// Gives a socket a path at which nothing is. Nothing but the mode's permissions, or fewer as the umask has it, is
/// there at any moment. Returns 0, or -1 with errno set.
int shim_bind_local(int descriptor, const char *path, uint32_t mode);

/// Gives the socket file at a path these permissions and this owner; -1 stands for what it has. What isn't the socket
/// file of this identity is left alone. Returns 0, or -1 with errno set.
int shim_settle_socket_file(const char *path, uint64_t device, uint64_t inode, uint32_t mode, uint32_t owner,
                            uint32_t group);

/// A connection that waits; -1 with errno set if there is none.
int shim_accept(int descriptor);

/// Sends bytes without waiting and without a signal. Returns how many were sent, or -1 with errno set.
int64_t shim_send(int descriptor, const void *bytes, size_t count);

#endif
