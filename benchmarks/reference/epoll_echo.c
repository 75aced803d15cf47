/*
 * The reference that the other servers are measured against: the smallest level-triggered epoll echo server that is
 * still correct. One thread, one receive buffer for all connections; only a short send costs a connection a buffer of
 * its own, and it is read again once that is empty.
 *
 *     cc -O2 -o epoll_echo epoll_echo.c
 *     ./epoll_echo PORT [--until-eof] [--datagrams]
 *
 * PORT 0 lets the system choose; --until-eof ends the server when standard input, a pipe or a terminal, ends;
 * --datagrams serves UDP in place of TCP.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_SIZE = 64 * 1024, MAX_EVENTS = 512, MAX_ACCEPTS = 64, MAX_DATAGRAMS = 64, BACKLOG = 4096,
       DATAGRAM_BUFFER = 1024 * 1024 };

struct connection {
    int descriptor;
    size_t pending_start, pending_end; /* what a short send left in pending */
    char *pending;
};

static int poller;
static char buffer[BUFFER_SIZE];

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static int watch(int operation, int descriptor, unsigned events, void *data)
{
    struct epoll_event event = { .events = events, .data.ptr = data };
    return epoll_ctl(poller, operation, descriptor, &event);
}

static void destroy(struct connection *connection)
{
    close(connection->descriptor); /* takes it out of the poller, too */
    free(connection->pending);
    free(connection);
}

/* Sends what it can; -1 when the connection is broken. */
static ssize_t send_some(int descriptor, const char *bytes, size_t length)
{
    ssize_t sent = send(descriptor, bytes, length, MSG_NOSIGNAL);
    return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : sent;
}

static void on_readable(struct connection *connection)
{
    ssize_t received = recv(connection->descriptor, buffer, sizeof buffer, 0);
    if (received <= 0) {
        if (received == 0 || (errno != EAGAIN && errno != EINTR))
            destroy(connection);
        return;
    }

    ssize_t sent = send_some(connection->descriptor, buffer, (size_t)received);
    if (sent < 0) {
        destroy(connection);
        return;
    }
    if (sent == received)
        return;

    connection->pending_start = 0;
    connection->pending_end = (size_t)(received - sent);
    connection->pending = malloc(connection->pending_end);
    if (connection->pending == NULL || watch(EPOLL_CTL_MOD, connection->descriptor, EPOLLOUT, connection) < 0) {
        destroy(connection);
        return;
    }
    memcpy(connection->pending, buffer + sent, connection->pending_end);
}

static void on_writable(struct connection *connection)
{
    ssize_t sent = send_some(connection->descriptor, connection->pending + connection->pending_start,
                             connection->pending_end - connection->pending_start);
    if (sent < 0) {
        destroy(connection);
        return;
    }

    connection->pending_start += (size_t)sent;
    if (connection->pending_start < connection->pending_end)
        return;

    free(connection->pending);
    connection->pending = NULL;
    if (watch(EPOLL_CTL_MOD, connection->descriptor, EPOLLIN, connection) < 0)
        destroy(connection);
}

/* Bounded, so that the open connections have their turn. What the listener has set, an accepted socket inherits. */
static void accept_some(int listener)
{
    for (int accepted = 0; accepted < MAX_ACCEPTS; accepted++) {
        int descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) {
            if (errno == EMFILE || errno == ENFILE)
                fail("accept");
            return;
        }

        struct connection *connection = calloc(1, sizeof *connection);
        if (connection == NULL)
            fail("calloc");
        connection->descriptor = descriptor;
        if (watch(EPOLL_CTL_ADD, descriptor, EPOLLIN, connection) < 0)
            fail("epoll_ctl");
    }
}

/* Bounded as well. A datagram that finds no room in the send buffer is lost, as datagrams may be. */
static void echo_datagrams(int descriptor)
{
    for (int received = 0; received < MAX_DATAGRAMS; received++) {
        struct sockaddr_in sender;
        socklen_t size = sizeof sender;
        ssize_t length = recvfrom(descriptor, buffer, sizeof buffer, 0, (struct sockaddr *)&sender, &size);
        if (length < 0)
            return;
        sendto(descriptor, buffer, (size_t)length, MSG_NOSIGNAL, (struct sockaddr *)&sender, size);
    }
}

static int listen_on(int port, int datagrams)
{
    int on = 1;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    int type = datagrams ? SOCK_DGRAM : SOCK_STREAM;
    int listener = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0)
        fail("socket");
    if (datagrams) {
        setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &(int){ DATAGRAM_BUFFER }, sizeof(int));
    } else {
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0)
        fail("bind");
    if (!datagrams && listen(listener, BACKLOG) < 0)
        fail("listen");
    if (getsockname(listener, (struct sockaddr *)&address, &length) < 0)
        fail("getsockname");

    printf("Listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

/* Whatever comes on standard input is ignored; its end is the end of the server. */
static int input_ended(void)
{
    ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
    return got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
}

int main(int count, char **arguments)
{
    static char listener_tag, input_tag;
    static struct epoll_event events[MAX_EVENTS];

    int until_eof = 0, datagrams = 0;
    for (int i = 2; i < count; i++) {
        until_eof |= strcmp(arguments[i], "--until-eof") == 0;
        datagrams |= strcmp(arguments[i], "--datagrams") == 0;
    }
    if (count < 2) {
        fprintf(stderr, "usage: %s PORT [--until-eof] [--datagrams]\n", arguments[0]);
        return 2;
    }

    signal(SIGPIPE, SIG_IGN);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0)
        fail("epoll_create1");
    int listener = listen_on(atoi(arguments[1]), datagrams);
    if (watch(EPOLL_CTL_ADD, listener, EPOLLIN, &listener_tag) < 0)
        fail("epoll_ctl");
    if (until_eof && watch(EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN, &input_tag) < 0 &&
        errno != EPERM) /* EPERM: an ordinary file */
        fail("standard input");

    for (;;) {
        int ready = epoll_wait(poller, events, MAX_EVENTS, -1);
        if (ready < 0 && errno != EINTR)
            fail("epoll_wait");

        /* A connection has one event at most in a batch, and only its own event destroys it. */
        for (int i = 0; i < ready; i++) {
            if (events[i].data.ptr == &listener_tag) {
                if (datagrams)
                    echo_datagrams(listener);
                else
                    accept_some(listener);
            } else if (events[i].data.ptr == &input_tag) {
                if (input_ended())
                    return 0;
            } else {
                struct connection *connection = events[i].data.ptr;
                if (connection->pending != NULL)
                    on_writable(connection);
                else
                    on_readable(connection);
            }
        }
    }
}
