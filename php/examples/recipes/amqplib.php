<?php

/**
 * php-amqplib: a consumer that connects again when the broker is gone. TLS or not makes no difference.
 *
 *     RABBITMQ_HOST=rabbit.example [RABBITMQ_CA=authorities.pem] php amqplib.php [queue]
 *
 * Heartbeats would find a dead broker too, but only while the consumer waits, not during a long job,
 * and a job that is longer than two of them loses its connection. Keepalive is the kernel's.
 */

declare(strict_types=1);

use Keepalive\Keepalive;
use Keepalive\Settings;
use PhpAmqpLib\Connection\AbstractConnection;
use PhpAmqpLib\Connection\AMQPSSLConnection;
use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Exception\AMQPExceptionInterface;
use PhpAmqpLib\Message\AMQPMessage;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php, and not the next line
require 'PhpAmqpLib/autoload.php';

function connect(string $host, int $port, ?string $authorities): AbstractConnection
{
    $connection = $authorities === null
        ? new AMQPStreamConnection($host, $port, 'guest', 'guest')
        : new AMQPSSLConnection($host, $port, 'guest', 'guest', '/', ['cafile' => $authorities]);
    Keepalive::tryToEnableConnectionsTo("*:$port", Settings::detectWithin(30));
    return $connection;
}

$queue = $argv[1] ?? 'jobs';
$quit = false;
while (!$quit) {
    try {
        $connection = connect(
            getenv('RABBITMQ_HOST') ?: '127.0.0.1',
            (int) (getenv('RABBITMQ_PORT') ?: 5672),
            getenv('RABBITMQ_CA') ?: null
        );
        $channel = $connection->channel();
        $channel->queue_declare($queue, false, false, false, false);
        $consume = static function (AMQPMessage $message) use (&$quit): void {
            echo $message->getBody(), "\n";
            $message->ack();
            $quit = $message->getBody() === 'quit';
        };
        $channel->basic_consume($queue, '', false, false, false, false, $consume);
        while (!$quit) {
            $channel->wait();
        }
    } catch (AMQPExceptionInterface | ErrorException $exception) {
        echo "{$exception->getMessage()}, connecting again\n";
        sleep(1);
    }
}
