/*
 * vmshim COMMAND [ARGUMENT]...
 *
 * Runs LXD or Incus so that it manages virtual machines without the kernel module vhost_vsock and without
 * CAP_SYS_RESOURCE, by a seccomp filter:
 *
 *   setrlimit, prlimit64 of RLIMIT_MEMLOCK    succeed and do nothing
 *   ioctl VHOST_VSOCK_SET_GUEST_CID           succeeds on any file and does nothing
 *   bind to the host's vsock address (CID 2)  binds to CID_ANY: Incus does not start without it
 *
 * The first two are answered by the filter itself. For the third the filter asks this process, which does the bind()
 * on a duplicate of the daemon's socket.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MEMLOCK 8              /* RLIMIT_MEMLOCK */
#define SET_GUEST_CID 0x4008AF60 /* VHOST_VSOCK_SET_GUEST_CID */

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF_NOT(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)

static struct sock_filter filter[] = {
    LOAD(nr), IF_NOT(__NR_bind, 1), RETURN(SECCOMP_RET_USER_NOTIF),
    LOAD(nr), IF_NOT(__NR_prlimit64, 3), LOAD(args[1]), IF_NOT(MEMLOCK, 1), RETURN(SECCOMP_RET_ERRNO | 0),
    LOAD(nr), IF_NOT(__NR_setrlimit, 3), LOAD(args[0]), IF_NOT(MEMLOCK, 1), RETURN(SECCOMP_RET_ERRNO | 0),
    LOAD(nr), IF_NOT(__NR_ioctl, 3), LOAD(args[1]), IF_NOT(SET_GUEST_CID, 1), RETURN(SECCOMP_RET_ERRNO | 0),
    RETURN(SECCOMP_RET_ALLOW),
};

static void die(const char *what) {
    perror(what);
    _exit(1);
}

/* Installs the filter, hands the descriptor for its questions to the parent, and becomes the command. */
static void become(char **command, int parent) {
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    char taken;
    int questions = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    if (questions < 0) die("seccomp");
    if (write(parent, &questions, sizeof questions) != sizeof questions || read(parent, &taken, 1) != 1) _exit(1);
    close(questions);
    close(parent);
    execvp(command[0], command);
    die(command[0]);
}

/* Returns a duplicate of a descriptor of another process. */
static int duplicate(pid_t pid, int descriptor) {
    int process = syscall(__NR_pidfd_open, pid, 0);
    int found = syscall(__NR_pidfd_getfd, process, descriptor, 0);
    close(process);
    return found;
}

/* Returns the process that a thread belongs to. */
static pid_t process_of(pid_t thread) {
    char path[64], line[256];
    pid_t found = thread;
    snprintf(path, sizeof path, "/proc/%d/status", thread);
    FILE *status = fopen(path, "r");
    if (!status) return thread;
    while (fgets(line, sizeof line, status) && sscanf(line, "Tgid: %d", &found) != 1) continue;
    fclose(status);
    return found;
}

/* Answers a bind(): one to a vsock address is done here, of any other the kernel takes care itself. */
static void answer(struct seccomp_notif *asked, struct seccomp_notif_resp *reply) {
    struct sockaddr_vm address;
    struct iovec here = {&address, sizeof address}, there = {(void *)asked->data.args[1], sizeof address};
    reply->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    if (asked->data.args[2] != sizeof address) return;
    if (process_vm_readv(asked->pid, &here, 1, &there, 1, 0) != sizeof address) return;
    if (address.svm_family != AF_VSOCK) return;
    int socket = duplicate(process_of(asked->pid), (int)asked->data.args[0]);
    address.svm_cid = VMADDR_CID_ANY;
    reply->flags = 0;
    if (socket < 0 || bind(socket, (struct sockaddr *)&address, sizeof address)) reply->error = -errno;
    close(socket);
}

int main(int count, char **arguments) {
    int pair[2], number;
    if (count < 2 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return 2;
    pid_t child = fork();
    if (child == 0) {
        close(pair[0]);
        become(arguments + 1, pair[1]);
    }
    close(pair[1]);
    prctl(PR_SET_NAME, "vmshim");
    if (read(pair[0], &number, sizeof number) != sizeof number) return 1;
    int questions = duplicate(child, number);
    if (questions < 0) die("pidfd_getfd");
    if (write(pair[0], "x", 1) != 1) return 1;
    struct pollfd ready = {questions, POLLIN, 0};
    while ((poll(&ready, 1, -1) > 0 || errno == EINTR) && !(ready.revents & POLLHUP)) {
        struct seccomp_notif asked = {0};
        if (!(ready.revents & POLLIN) || ioctl(questions, SECCOMP_IOCTL_NOTIF_RECV, &asked)) continue;
        struct seccomp_notif_resp reply = {.id = asked.id};
        answer(&asked, &reply);
        ioctl(questions, SECCOMP_IOCTL_NOTIF_SEND, &reply);
    }
    return 0;
}
