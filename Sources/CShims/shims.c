#define _GNU_SOURCE
#include "CShims.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <syslog.h>
#include <unistd.h>

enum { guarded_regions_max = 64 };

// Written under the mutex, read by the signal handler, which may not take a lock: every field is an atomic
// word, and an entry counts only while its start is set.
static struct {
  uintptr_t start;
  size_t size;
} regions[guarded_regions_max];
static pthread_mutex_t regions_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction previous;

static void on_bus_error(int signal, siginfo_t *info, void *context) {
  uintptr_t fault = (uintptr_t)info->si_addr;
  for (int i = 0; i < guarded_regions_max; i++) {
    uintptr_t start = __atomic_load_n(&regions[i].start, __ATOMIC_ACQUIRE);
    size_t size = __atomic_load_n(&regions[i].size, __ATOMIC_ACQUIRE);
    if (start == 0 || fault < start || fault - start >= size) continue;
    // The rest of the region from the faulting page on: the file ends before it. mmap is a plain system
    // call here, and mappings start on a page.
    uintptr_t page = fault & ~(uintptr_t)4095;
    if (mmap((void *)page, start + size - page, PROT_READ,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED)
      return;
  }
  // Not ours: what would have happened without us happens when the instruction is run again.
  sigaction(SIGBUS, &previous, NULL);
  (void)signal;
  (void)context;
}

void shim_guard_region(void *start, size_t size) {
  static int installed;
  pthread_mutex_lock(&regions_mutex);
  if (!installed) {
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    installed = sigaction(SIGBUS, &action, &previous) == 0;
  }
  for (int i = 0; i < guarded_regions_max; i++) {
    if (regions[i].start != 0) continue;
    __atomic_store_n(&regions[i].size, size, __ATOMIC_RELEASE);
    __atomic_store_n(&regions[i].start, (uintptr_t)start, __ATOMIC_RELEASE);
    break;
  }
  pthread_mutex_unlock(&regions_mutex);
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
