#define _GNU_SOURCE
#include "CShims.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <syslog.h>
#include <unistd.h>

enum { guarded_regions_max = 64 };

// Written under the mutex, read by the signal handler, which may not take a lock: every field is an atomic
// word, and an entry counts only while its start is set.
static struct {
  uintptr_t start;
  size_t size;
  // Of shared memory: one page at a time is replaced, and counted.
  int is_shared;
  uint32_t faults;
} regions[guarded_regions_max];
static pthread_mutex_t regions_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction previous;
static uintptr_t page_size;

static void on_bus_error(int signal, siginfo_t *info, void *context) {
  uintptr_t fault = (uintptr_t)info->si_addr;
  for (int i = 0; i < guarded_regions_max; i++) {
    uintptr_t start = __atomic_load_n(&regions[i].start, __ATOMIC_ACQUIRE);
    size_t size = __atomic_load_n(&regions[i].size, __ATOMIC_ACQUIRE);
    int is_shared = __atomic_load_n(&regions[i].is_shared, __ATOMIC_ACQUIRE);
    if (start == 0 || fault < start || fault - start >= size) continue;
    // What is only read has ended for good: the rest of it, from the faulting page on. In shared memory the
    // page may lack its block alone, and its neighbours are in use. mmap is a plain system call here, and
    // mappings start on a page.
    uintptr_t page = fault & ~(page_size - 1);
    size_t count = is_shared ? page_size : start + size - page;
    int protection = is_shared ? PROT_READ | PROT_WRITE : PROT_READ;
    if (mmap((void *)page, count, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
      // After the page is there: whoever sees the number can put the file in its place.
      if (is_shared) __atomic_fetch_add(&regions[i].faults, 1, __ATOMIC_ACQ_REL);
      return;
    }
  }
  // Not ours: what would have happened without us happens when the instruction is run again.
  sigaction(SIGBUS, &previous, NULL);
  (void)signal;
  (void)context;
}

static int guard(void *start, size_t size, int is_shared) {
  static int installed;
  int slot = -1;
  pthread_mutex_lock(&regions_mutex);
  if (!installed) {
    page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    installed = sigaction(SIGBUS, &action, &previous) == 0;
  }
  for (int i = 0; i < guarded_regions_max && slot < 0; i++) {
    if (regions[i].start != 0) continue;
    slot = i;
    __atomic_store_n(&regions[i].size, size, __ATOMIC_RELEASE);
    __atomic_store_n(&regions[i].is_shared, is_shared, __ATOMIC_RELEASE);
    __atomic_store_n(&regions[i].faults, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&regions[i].start, (uintptr_t)start, __ATOMIC_RELEASE);
  }
  pthread_mutex_unlock(&regions_mutex);
  return slot;
}

void shim_guard_region(void *start, size_t size) { guard(start, size, 0); }

int shim_guard_shared_region(void *start, size_t size) { return guard(start, size, 1); }

void shim_resize_guard(int slot, size_t size) {
  if (slot >= 0) __atomic_store_n(&regions[slot].size, size, __ATOMIC_RELEASE);
}

uint32_t shim_guard_faults(int slot) {
  return slot >= 0 ? __atomic_load_n(&regions[slot].faults, __ATOMIC_ACQUIRE) : 0;
}

void shim_unguard_region(void *start) {
  pthread_mutex_lock(&regions_mutex);
  for (int i = 0; i < guarded_regions_max; i++)
    if (regions[i].start == (uintptr_t)start)
      __atomic_store_n(&regions[i].start, 0, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&regions_mutex);
}

int shim_signal_descriptor(const int *signals, int count) {
  sigset_t set;
  sigemptyset(&set);
  for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
  int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
  if (error != 0) return -1;
  return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int shim_read_signal(int descriptor) {
  struct signalfd_siginfo info;
  return read(descriptor, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

int shim_closing_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int shim_pipe_capacity(int descriptor) { return fcntl(descriptor, F_GETPIPE_SZ); }

int shim_watch_process(int process) {
#ifdef SYS_pidfd_open
  // Closed in other programs by itself.
  return (int)syscall(SYS_pidfd_open, process, 0);
#else
  (void)process;
  return -1;
#endif
}

static void note_end(const char *const *paths, uint64_t device, uint64_t inode, const char *name, const void *bytes,
                     size_t count) {
  for (int i = 0; paths[i]; i++) {
    int file = open(paths[i], O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file < 0) continue;
    struct stat status;
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
      int is_file = (uint64_t)status.st_dev == device && (uint64_t)status.st_ino == inode;
      int is_unnamed = i > 0 && fgetxattr(file, name, NULL, 0) < 0 && errno == ENODATA;
      if (is_file || is_unnamed) (void)fsetxattr(file, name, bytes, count, 0);
    }
    // If the first path leads to something else, nothing can be said of the file.
    return;
  }
}

int shim_leave_note_of_end(int process_descriptor, const char *const *paths, uint64_t device, uint64_t inode,
                           const char *name, const void *bytes, size_t count) {
  pid_t child = fork();
  if (child < 0) return -1;
  if (child > 0) return waitpid(child, NULL, 0) == child ? 0 : -1;
  // Only what may be called in the child of a process with threads. A second fork leaves no zombie to anybody.
  if (fork() != 0) _exit(0);
  (void)setsid();
  struct sigaction usual = {.sa_handler = SIG_DFL};
  for (int number = 1; number < NSIG; number++) (void)sigaction(number, &usual, NULL);
  sigset_t none;
  sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);
  if (dup2(process_descriptor, 0) != 0) _exit(0);
#ifdef SYS_close_range
  (void)syscall(SYS_close_range, 1u, ~0u, 0u);
#else
  for (int i = 1; i < 1024; i++) (void)close(i);
#endif
  struct pollfd ended = {.fd = 0, .events = POLLIN};
  while (poll(&ended, 1, -1) < 0 && errno == EINTR) {}
  // What ends the command may be about to end this process, too; then the command was interrupted.
  (void)poll(NULL, 0, 500);
  note_end(paths, device, inode, name, bytes, count);
  _exit(0);
}

static int is_daemon;

void shim_say(const char *program, const char *text) {
  if (is_daemon) {
    // Nobody would ever see what a daemon writes to the standard error it no longer has.
    openlog(program, LOG_PID, LOG_DAEMON);
    syslog(LOG_NOTICE, "%s", text);
  } else {
    dprintf(STDERR_FILENO, "%s: %s\n", program, text);
  }
}

int shim_daemonize(void) {
  pid_t child = fork();
  if (child < 0) return -1;
  if (child > 0) _exit(0);
  if (setsid() < 0 || chdir("/") < 0) return -1;
  int null = open("/dev/null", O_RDWR);
  if (null < 0) return -1;
  for (int target = 0; target <= 2; target++)
    if (dup2(null, target) < 0) return -1;
  if (null > 2) close(null);
  is_daemon = 1;
  return 0;
}
