<?php

/**
 * Answers to http://, https:// and ftp:// for the tests of such streams, which fopen() opens before it returns.
 *
 * Its argument is the file of its certificate and key. It prints its ports, in that order, on one line. Each answer is
 * "hello" in an answer that goes on: in chunks for /chunks, otherwise as a part of its length. It ends when its
 * standard input does.
 */

declare(strict_types=1);

$context = stream_context_create(['ssl' => ['local_cert' => $argv[1]]]);
$flags = STREAM_SERVER_BIND | STREAM_SERVER_LISTEN;
$listeners = $ports = [];
foreach (['http', 'https', 'ftp'] as $protocol) {
    $listener = stream_socket_server('tcp://127.0.0.1:0', $errno, $message, $flags, $context);
    $ports[] = explode(':', (string) stream_socket_get_name($listener, false))[1];
    $listeners[$protocol] = $listener;
}
echo implode(' ', $ports), "\n";

/** @param resource $connection */
function answerHttp($connection): void
{
    $request = (string) fgets($connection);
    while (trim((string) fgets($connection)) !== '') {
        continue;
    }
    $isInChunks = strpos($request, '/chunks') !== false;
    fwrite($connection, "HTTP/1.1 200 OK\r\n" . ($isInChunks
        ? "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
        : "Content-Length: 1000\r\n\r\nhello"));
}

/**
 * @param resource $connection
 * @return resource the connection for the data
 */
function answerFtp($connection)
{
    $forData = stream_socket_server('tcp://127.0.0.1:0');
    $port = explode(':', (string) stream_socket_get_name($forData, false))[1];
    $answers = ['USER' => '331 password?', 'PASS' => '230 welcome', 'TYPE' => '200 yes', 'SIZE' => '213 1000',
        'EPSV' => "229 here (|||$port|)", 'RETR' => '150 coming'];
    fwrite($connection, "220 hello\r\n");
    do {
        $command = substr((string) fgets($connection), 0, 4);
        fwrite($connection, ($answers[$command] ?? '502 no') . "\r\n");
    } while ($command !== 'RETR' && $command !== '');
    $data = stream_socket_accept($forData, 5);
    fwrite($data, 'hello');
    fwrite($connection, "226 that was all\r\n"); // PHP waits for it when the stream is closed
    return $data;
}

$open = [];
while (true) {
    pcntl_waitpid(-1, $status, WNOHANG);
    $read = array_merge([STDIN], array_values($listeners));
    $none = null;
    stream_select($read, $none, $none, null);
    if (in_array(STDIN, $read, true)) {
        exit;
    }
    $listener = reset($read);
    $protocol = array_search($listener, $listeners, true);
    $open[] = $connection = stream_socket_accept($listener, 5);
    stream_set_timeout($connection, 5);
    if (pcntl_fork() > 0) {
        continue; // the child answers, and ends with this process's standard input
    }
    if ($protocol === 'ftp') {
        $open[] = answerFtp($connection);
    } elseif ($protocol === 'http' || @stream_socket_enable_crypto($connection, true, STREAM_CRYPTO_METHOD_TLS_SERVER)) {
        answerHttp($connection);
    }
    fgets(STDIN);
    exit;
}
