<?php

/**
 * As much of a MongoDB replica set as the driver needs to connect, because Debian has no MongoDB server.
 *
 * It prints its port. At that port 127.0.0.2 is the primary and 127.0.0.3 the secondary. 127.0.0.1 is another name of the
 * primary, for a connection string, which is not the name that the replica set was configured with. The command "ping" is
 * answered by 42. It ends when its standard input does.
 */

declare(strict_types=1);

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;

$listeners = [stream_socket_server('tcp://127.0.0.1:0')];
$port = explode(':', (string) stream_socket_get_name($listeners[0], false))[1];
foreach (['127.0.0.2', '127.0.0.3'] as $address) {
    $listeners[] = stream_socket_server("tcp://$address:$port");
}
echo "$port\n";

/** @return array<string, mixed> what this member answers to "hello" */
function hello(string $address, string $port): array
{
    $isPrimary = $address !== '127.0.0.3';
    return [
        'ismaster' => $isPrimary,
        'isWritablePrimary' => $isPrimary,
        'secondary' => !$isPrimary,
        'helloOk' => true,
        'setName' => 'set',
        'setVersion' => 1,
        'hosts' => ["127.0.0.2:$port", "127.0.0.3:$port"],
        'primary' => "127.0.0.2:$port",
        'me' => $isPrimary ? "127.0.0.2:$port" : "127.0.0.3:$port",
        'maxBsonObjectSize' => 16777216,
        'maxMessageSizeBytes' => 48000000,
        'maxWriteBatchSize' => 100000,
        'minWireVersion' => 0,
        'maxWireVersion' => 13,
        'logicalSessionTimeoutMinutes' => 30,
    ];
}

/** @param resource $connection */
function serve($connection, string $address, string $port): void
{
    while (strlen($header = (string) fread($connection, 16)) === 16) {
        ['length' => $length, 'id' => $id, 'opcode' => $opcode] = unpack('Vlength/Vid/Vto/Vopcode', $header);
        $body = (string) stream_get_contents($connection, $length - 16);
        // OP_QUERY: flags, a name that ends at a NUL, two numbers. OP_MSG: flags, and 0 for "a document follows".
        $start = $opcode === OP_QUERY ? strpos($body, "\0", 4) + 9 : 5;
        $size = unpack('V', substr($body, $start, 4))[1];
        $command = strtolower((string) key(MongoDB\BSON\toPHP(substr($body, $start, $size), ['root' => 'array'])));
        $answer = in_array($command, ['hello', 'ismaster'], true) ? hello($address, $port) : ['answer' => 42];
        $document = MongoDB\BSON\fromPHP($answer + ['ok' => 1.0]);
        $reply = $opcode === OP_QUERY
            ? pack('VPVV', 8, 0, 0, 1) . $document
            : pack('Vx', 0) . $document;
        $replyOpcode = $opcode === OP_QUERY ? OP_REPLY : OP_MSG;
        fwrite($connection, pack('VVVV', 16 + strlen($reply), 1, $id, $replyOpcode) . $reply);
    }
}

while (true) {
    $read = array_merge([STDIN], $listeners);
    $none = null;
    stream_select($read, $none, $none, null);
    if (in_array(STDIN, $read, true)) {
        exit; // the children end with their connections
    }
    $listener = reset($read);
    $connection = stream_socket_accept($listener, 5);
    if (pcntl_fork() === 0) {
        serve($connection, explode(':', (string) stream_socket_get_name($connection, false))[0], $port);
        exit;
    }
    fclose($connection);
}
