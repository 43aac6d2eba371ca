<?php

/**
 * A talkback server for many clients with PHP's socket_* functions and nothing else.
 *
 *     php socket-server.php [address [port]]
 *
 * Listens (on 127.0.0.1, port 7007; port 0: a free one), greets each client, and answers each line
 * with "You said: ...". The line "quit" ends the client's connection. Clients that vanish without a
 * word are found by keepalive within two minutes. socket-client.php is a client for it; so is
 * nc 127.0.0.1 7007. Ctrl-C ends it.
 *
 * On Linux a listener's connections inherit its settings: set once, nothing to do for each.
 */

declare(strict_types=1);

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php

/** socket_select() cannot watch more than 1024 descriptors; more clients wait in the queue. */
const MAX_CLIENTS = 1000;

/** Bytes; a client that sends more without a line end is sent away. */
const MAX_LINE = 8192;

/** A client whose answers pile up to this many bytes is not read until it has fetched them. */
const MAX_UNSENT = 65536;

$address = $argv[1] ?? '127.0.0.1';
$port = (int) ($argv[2] ?? 7007);

/**
 * The reason of the last failure on a socket, or of any.
 *
 * @param resource|Socket|null $socket
 */
function reason($socket = null): string
{
    return socket_strerror($socket === null ? socket_last_error() : socket_last_error($socket));
}

function fail(string $message): void
{
    fwrite(STDERR, "$message\n");
    exit(1);
}

/**
 * @param resource|Socket $socket
 */
function show(string $when, $socket): void
{
    printf(
        "%s: keepalive %s, idle %d s, interval %d s, count %d\n",
        $when,
        socket_get_option($socket, SOL_SOCKET, SO_KEEPALIVE) ? 'on' : 'off',
        socket_get_option($socket, SOL_TCP, TCP_KEEPIDLE),
        socket_get_option($socket, SOL_TCP, TCP_KEEPINTVL),
        socket_get_option($socket, SOL_TCP, TCP_KEEPCNT)
    );
}

/**
 * @return resource|Socket
 */
function listenOn(string $address, int $port)
{
    $family = strpos($address, ':') === false ? AF_INET : AF_INET6;
    $listener = socket_create($family, SOCK_STREAM, SOL_TCP) ?: fail('Opening a socket: ' . reason());
    show('listener before', $listener);
    // SO_REUSEADDR lets a restarted server listen at once, while old connections linger in TIME_WAIT.
    // SO_KEEPALIVE comes last, so that keepalive stays off where the system refuses a value.
    (
        socket_set_option($listener, SOL_SOCKET, SO_REUSEADDR, 1)
        && socket_set_option($listener, SOL_TCP, TCP_KEEPINTVL, 10)
        && socket_set_option($listener, SOL_TCP, TCP_KEEPCNT, 6)
        && socket_set_option($listener, SOL_TCP, TCP_KEEPIDLE, 60)
        && socket_set_option($listener, SOL_SOCKET, SO_KEEPALIVE, 1)
    ) || fail('Setting options: ' . reason($listener));
    show('listener after', $listener);
    (
        socket_bind($listener, $address, $port)
        && socket_listen($listener, 511)
        && socket_set_nonblock($listener)
        && socket_getsockname($listener, $boundAddress, $boundPort)
    ) || fail("Listening on $address port $port: " . reason($listener));
    echo 'listening on ', $family === AF_INET ? $boundAddress : "[$boundAddress]", ":$boundPort\n";
    return $listener;
}

/** One connection: what came and is no full line yet, and what the client still has to get. */
final class Client
{
    /** @var resource|Socket */
    public $socket;
    public string $name;
    public string $received = '';
    public string $unsent = "Hello. Say something, or quit.\n";
    public bool $leaving = false;

    /**
     * @param resource|Socket $socket
     */
    public function __construct($socket)
    {
        $this->socket = $socket;
        $this->name = socket_getpeername($socket, $address, $port) ? "$address port $port" : 'a client';
    }

    /** Takes what has come; false: the connection has ended. */
    public function receive(): bool
    {
        $data = socket_read($this->socket, 8192);
        if ($data === false) {
            $error = socket_last_error($this->socket);
            if ($error === SOCKET_EAGAIN || $error === SOCKET_EINTR) {
                return true;
            }
            // "Connection timed out" is keepalive's verdict.
            echo "$this->name: ", socket_strerror($error), "\n";
            return false;
        }
        if ($data === '') {
            echo "$this->name left\n";
            return false;
        }
        $lines = explode("\n", $this->received . $data);
        $this->received = array_pop($lines);
        foreach ($lines as $line) {
            $line = rtrim($line, "\r");
            if ($line === 'quit') {
                $this->leave('Goodbye.');
                return true;
            }
            $this->unsent .= "You said: $line\n";
        }
        if (strlen($this->received) > MAX_LINE) {
            $this->leave('That line is too long.');
        }
        return true;
    }

    /** Sends as much as goes now, perhaps a part of it; false: the connection has ended. */
    public function send(): bool
    {
        $sent = socket_write($this->socket, $this->unsent);
        if ($sent === false) {
            $error = socket_last_error($this->socket);
            if ($error === SOCKET_EAGAIN || $error === SOCKET_EINTR) {
                return true;
            }
            echo "$this->name: ", socket_strerror($error), "\n";
            return false;
        }
        $this->unsent = substr($this->unsent, $sent);
        if ($this->unsent === '' && $this->leaving) {
            echo "$this->name was seen off\n";
            return false;
        }
        return true;
    }

    private function leave(string $words): void
    {
        $this->unsent .= "$words\n";
        $this->leaving = true;
    }
}

// Every failure is reported in our own words.
error_reporting(E_ALL & ~E_WARNING);

$listener = listenOn($address, $port);
/** @var array<int, Client> $clients */
$clients = [];
$number = 0;

while (true) {
    $readable = [];
    $writable = [];
    $except = null;
    foreach ($clients as $key => $client) {
        if (!$client->leaving && strlen($client->unsent) < MAX_UNSENT) {
            $readable[$key] = $client->socket;
        }
        if ($client->unsent !== '') {
            $writable[$key] = $client->socket;
        }
    }
    if (count($clients) < MAX_CLIENTS) {
        $readable['listener'] = $listener;
    }
    // Sleeps until something happens.
    if (socket_select($readable, $writable, $except, null) === false) {
        fail('Waiting: ' . reason());
    }

    if (isset($readable['listener'])) {
        unset($readable['listener']);
        $socket = socket_accept($listener);
        if ($socket !== false && socket_set_nonblock($socket)) {
            $clients[++$number] = $client = new Client($socket);
            show("$client->name connected", $socket);
        } elseif (socket_last_error() !== SOCKET_EAGAIN) {
            fwrite(STDERR, 'Accepting: ' . reason() . "\n");
            usleep(100000); // too many open files, mostly: the client keeps waiting, and we must not spin
        }
    }
    foreach (array_keys($readable) as $key) {
        if (!$clients[$key]->receive()) {
            unset($writable[$key], $clients[$key]);
        }
    }
    foreach (array_keys($writable) as $key) {
        if (!$clients[$key]->send()) {
            unset($clients[$key]);
        }
    }
}
