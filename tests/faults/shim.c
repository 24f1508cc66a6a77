/* Sees every call that changes a file below one folder, in every process it is preloaded into, and kills or fails at
   the one it is told. Below Python, so it sees what SQLite, HDF5, Arrow and gensim do as well.

   FAULTS_BELOW names the folder. FAULTS_CONTROL names a file that all processes map: `struct control`, which
   tests/faults/shim.py writes and reads. FAULTS_LOG names a file that gets a line for each call that was made to fail,
   and, where asked, for every call. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum action { COUNT, KILL_GROUP, KILL_SELF, TERMINATE, FAIL, FAIL_EACH, FILL, LIST };
enum who { ANYONE, COMMAND, TRAINING };
#define SLOTS 8192

struct control {
    int64_t seen;   /* calls counted so far */
    int64_t at;     /* the call at which something happens; KILL_SELF does it at each multiple,
                       FAIL at the first from there on that can fail */
    int64_t action; /* what happens */
    int64_t who;    /* whose calls count */
    int64_t error;  /* errno of a call that fails */
    int64_t done;   /* how often it happened */
    char hit[512];  /* the call at which it first happened */
    uint64_t key[SLOTS];
    int64_t times[SLOTS]; /* calls of each kind, for FAIL_EACH */
};

static struct control *control;
static char below[PATH_MAX];
static size_t n_below;
static int log_fd = -1;

__attribute__((constructor)) static void begin(void)
{
    const char *folder = getenv("FAULTS_BELOW"), *file = getenv("FAULTS_CONTROL"), *log = getenv("FAULTS_LOG");
    if (!folder || !file)
        return;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0)
        return;
    void *map = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (map == MAP_FAILED)
        return;
    n_below = strlen(strncpy(below, folder, sizeof below - 1));
    if (log)
        log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    control = map;
}

/* The command leads its session; the fork server is its child, and the training processes are that one's. */
static enum who self(void)
{
    pid_t leader = getsid(0);
    if (getpid() == leader)
        return COMMAND;
    return getppid() == leader ? ANYONE : TRAINING;
}

/* What is random or a digest in a name becomes '#': the same place then has the same name in every run. So do the
   files of the code that a package takes along, which are hundreds. */
static void plain(const char *path, char *out, size_t size)
{
    size_t n = 0;
    char before = 0;
    for (; *path && n + 1 < size; before = path[-1]) {
        size_t run = strspn(path, "0123456789abcdef");
        size_t word = strspn(path, "0123456789abcdefghijklmnopqrstuvwxyz_");
        /* Of mkstemp, mostly: letters alone are drawn too, but then follow on a mark. */
        int drawn = word == 8 && (strcspn(path, "0123456789_") < 8 || before == '-' || before == '.');
        if (run == word && (run >= 16 || strspn(path, "0123456789") == run) && run) {
            out[n++] = '#';
            path += run;
        } else if (drawn) {
            out[n++] = '#';
            path += word;
        } else {
            size_t all = word ? word : 1;
            while (all-- && n + 1 < size)
                out[n++] = *path++;
        }
    }
    out[n] = 0;
    char *code = strstr(out, "/code/");
    if (code)
        memcpy(code + 6, "#", 2);
}

static void note(const char *call, const char *path, const char *what)
{
    char line[PATH_MAX + 128];
    int n = snprintf(line, sizeof line, "%s %s %s %s\n", what,
                     self() == COMMAND ? "command" : self() == TRAINING ? "training" : "server", call, path);
    if (log_fd >= 0)
        syscall(SYS_write, log_fd, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

static void remember(const char *call, const char *path)
{
    if (!control->hit[0])
        snprintf(control->hit, sizeof control->hit, "%s %s", call, path);
}

/* The n-th call of this kind, from 1. */
static int64_t occurrence(const char *call, const char *path)
{
    uint64_t hash = 1469598103934665603ULL;
    for (const char *text = call; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211ULL;
    for (const char *text = path; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211ULL;
    if (!hash)
        hash = 1;
    for (size_t i = hash % SLOTS;; i = (i + 1) % SLOTS) {
        uint64_t none = 0;
        if (__atomic_compare_exchange_n(&control->key[i], &none, hash, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
            || none == hash)
            return __atomic_add_fetch(&control->times[i], 1, __ATOMIC_SEQ_CST);
    }
}

static int power_of_16(int64_t n)
{
    while (n % 16 == 0)
        n /= 16;
    return n == 1;
}

/* Whether the call is to fail; `fails` is false for calls that are only counted. */
static int reached(const char *call, const char *path, int fails)
{
    if (!control || strncmp(path, below, n_below))
        return 0;
    int action = (int)control->action;
    if (control->who && control->who != self())
        return 0;
    const char *inside = path + n_below;
    if (action == LIST)
        note(call, inside, "seen");
    int64_t number = __atomic_add_fetch(&control->seen, 1, __ATOMIC_SEQ_CST);
    if (action == FAIL_EACH) {
        char name[PATH_MAX];
        plain(inside, name, sizeof name);
        if (!fails || !power_of_16(occurrence(call, name)))
            return 0;
        __atomic_add_fetch(&control->done, 1, __ATOMIC_SEQ_CST);
        note(call, name, "failed");
        errno = (int)control->error;
        return 1;
    }
    if (action == FAIL || action == FILL) {
        if (!fails || number < control->at)
            return 0;
        if (__atomic_add_fetch(&control->done, 1, __ATOMIC_SEQ_CST) > 1 && action == FAIL)
            return 0;
        remember(call, inside);
        errno = (int)control->error;
        return 1;
    }
    if (action == KILL_SELF ? !control->at || number % control->at : number != control->at)
        return 0;
    __atomic_add_fetch(&control->done, 1, __ATOMIC_SEQ_CST);
    remember(call, inside);
    if (action == KILL_GROUP)
        kill(0, SIGKILL);
    if (action == KILL_SELF)
        kill(getpid(), SIGKILL);
    if (action == TERMINATE)
        kill(getsid(0), SIGTERM);
    return 0;
}

static int reached_fd(const char *call, int fd, int fails)
{
    char link[64], path[PATH_MAX];
    if (!control)
        return 0;
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    errno = before;
    if (n < 0)
        return 0;
    path[n] = 0;
    return reached(call, path, fails);
}

/* A path as the kernel would find it. */
static int reached_path(const char *call, int folder, const char *path, int fails)
{
    char whole[PATH_MAX], base[PATH_MAX], link[64];
    if (!control)
        return 0;
    if (path[0] == '/')
        return reached(call, path, fails);
    int before = errno;
    snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
    ssize_t n = syscall(SYS_readlinkat, AT_FDCWD, link, base, sizeof base - 1);
    errno = before;
    if (n < 0)
        return 0;
    base[n] = 0;
    if (snprintf(whole, sizeof whole, "%s/%s", base, path) >= (int)sizeof whole)
        return 0;
    return reached(call, whole, fails);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define ON_FD(type, name, parameters, fd, arguments) \
    type name parameters                             \
    {                                                \
        static __typeof__(&name) real;               \
        if (!real)                                   \
            real = REAL(name);                       \
        if (reached_fd(#name, fd, 1))                \
            return -1;                               \
        return real arguments;                       \
    }

ON_FD(ssize_t, write, (int fd, const void *data, size_t n), fd, (fd, data, n))
ON_FD(ssize_t, writev, (int fd, const struct iovec *data, int n), fd, (fd, data, n))
ON_FD(ssize_t, pwrite, (int fd, const void *data, size_t n, off_t at), fd, (fd, data, n, at))
ON_FD(ssize_t, pwrite64, (int fd, const void *data, size_t n, off64_t at), fd, (fd, data, n, at))
ON_FD(ssize_t, sendfile, (int out, int in, off_t *at, size_t n), out, (out, in, at, n))
ON_FD(ssize_t, sendfile64, (int out, int in, off64_t *at, size_t n), out, (out, in, at, n))
ON_FD(ssize_t, copy_file_range, (int in, off64_t *from, int out, off64_t *to, size_t n, unsigned flags), out,
      (in, from, out, to, n, flags))
ON_FD(int, fsync, (int fd), fd, (fd))
ON_FD(int, fdatasync, (int fd), fd, (fd))

#define ON_PATH(name, parameters, folder, path, fails, arguments) \
    int name parameters                                           \
    {                                                             \
        static __typeof__(&name) real;                            \
        if (!real)                                                \
            real = REAL(name);                                    \
        if (reached_path(#name, folder, path, fails))             \
            return -1;                                            \
        return real arguments;                                    \
    }

ON_PATH(rename, (const char *from, const char *to), AT_FDCWD, to, 1, (from, to))
ON_PATH(renameat, (int a, const char *from, int b, const char *to), b, to, 1, (a, from, b, to))
ON_PATH(renameat2, (int a, const char *from, int b, const char *to, unsigned flags), b, to, 1, (a, from, b, to, flags))
ON_PATH(mkdir, (const char *path, mode_t mode), AT_FDCWD, path, 0, (path, mode))
ON_PATH(rmdir, (const char *path), AT_FDCWD, path, 0, (path))
ON_PATH(unlink, (const char *path), AT_FDCWD, path, 0, (path))
ON_PATH(unlinkat, (int folder, const char *path, int flags), folder, path, 0, (folder, path, flags))
