#define _GNU_SOURCE
#include "CShims.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <syslog.h>
#include <unistd.h>

static int argument_count;
static char **argument_values;

// glibc passes constructors the arguments of main. This constructor runs before Swift's own, which needs an
// environment, as a preloaded library may have left none.
__attribute__((constructor(101))) static void keep_arguments(int count, char **values, char **environment) {
  static char *no_variables[] = {NULL};
  argument_count = count;
  argument_values = values;
  if (environ == NULL) environ = no_variables;
  (void)environment;
}

int shim_argument_count(void) { return argument_count; }

const char *shim_argument(int index) {
  return index >= 0 && index < argument_count ? argument_values[index] : NULL;
}

// A write to a closed descriptor must fail, not vanish, even if the descriptor is opened again by its number.
// So standard input and output are filled with files that can neither be read nor written; only messages go
// nowhere.
static void fill_standard_descriptors(void) {
  for (int target = 0; target <= 2; target++) {
    if (fcntl(target, F_GETFD) >= 0 || errno != EBADF) continue;
    // All lower descriptors are open, so the next file gets this number.
    (void)!(target == STDERR_FILENO ? open("/dev/null", O_RDWR) : open("/", O_PATH | O_DIRECTORY));
  }
}

static int reset_signals(void) {
  int ignores_hangups = 0;
  for (int signal = 1; signal < NSIG; signal++) {
    struct sigaction action;
    if (sigaction(signal, NULL, &action) < 0 || action.sa_handler != SIG_IGN) continue;
    if (signal == SIGHUP) ignores_hangups = 1;
    action = (struct sigaction){.sa_handler = SIG_DFL};
    sigaction(signal, &action, NULL);
  }
  shim_unblock_signals();
  return ignores_hangups;
}

// A container's first process becomes the parent of every orphan, and the kernel withholds from it all
// signals that it has no handler for. So the first process does nothing else: it reaps, passes signals on,
// and ends as the worker does.
static void stand_in_for_init(void) {
  if (getpid() != 1) return;
  sigset_t all, former;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &former);
  pid_t worker = fork();
  if (worker <= 0) {
    // Without a worker this process does the work itself.
    sigprocmask(SIG_SETMASK, &former, NULL);
    return;
  }
  while (1) {
    siginfo_t info;
    int signal = sigwaitinfo(&all, &info);
    if (signal < 0) continue;
    if (signal != SIGCHLD) {
      // Signals from the terminal reach the worker directly.
      if (info.si_code != SI_KERNEL) kill(worker, signal);
      continue;
    }
    int status;
    pid_t ended;
    while ((ended = waitpid(-1, &status, WNOHANG)) > 0)
      if (ended == worker) _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
}

// The C library reserves 64 MiB of addresses for each thread that allocates memory.
static void spare_addresses(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) mallopt(M_ARENA_MAX, 1);
}

int shim_settle_inherited_state(void) {
  fill_standard_descriptors();
  int ignores_hangups = reset_signals();
  stand_in_for_init();
  spare_addresses();
  return ignores_hangups;
}

void shim_unblock_signals(void) {
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, NULL);
}

int shim_processor_count(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : 1;
}

int shim_fork(void) { return (int)fork(); }

void shim_end_with_parent(int signal) { prctl(PR_SET_PDEATHSIG, signal); }

int shim_discard_standard_descriptors(void) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return -1;
  for (int target = 0; target <= 2; target++)
    if (dup2(null, target) < 0) return -1;
  close(null);
  return 0;
}

void shim_log(const char *program, const char *text) {
  openlog(program, LOG_PID, LOG_DAEMON);
  syslog(LOG_NOTICE, "%s", text);
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
    // If the first path leads to a different file, the end can't be noted.
    return;
  }
}

int shim_leave_note_of_end(int process_descriptor, const char *const *paths, uint64_t device, uint64_t inode,
                           const char *name, const void *bytes, size_t count) {
  pid_t child = fork();
  if (child < 0) return -1;
  if (child > 0) return waitpid(child, NULL, 0) == child ? 0 : -1;
  // Only calls that are allowed in the child of a process with threads. The second fork makes init reap the process
  // that waits, so this program gets no zombie.
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
  // The signal that ends the command may be about to end this process, too; then the command was interrupted.
  (void)poll(NULL, 0, 500);
  note_end(paths, device, inode, name, bytes, count);
  _exit(0);
}
