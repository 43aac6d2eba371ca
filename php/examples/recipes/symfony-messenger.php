<?php

/**
 * Symfony Messenger: keepalive on whatever the worker is connected to, at each turn of its loop.
 *
 *     REDIS_HOST=redis.example php symfony-messenger.php
 *
 * In a Symfony application the listener is a service with the attribute AsEventListener, and the
 * rest of this file is Symfony's own. In Laravel the same line stands in Queue::looping().
 */

declare(strict_types=1);

use Keepalive\Keepalive;
use Keepalive\Settings;
use Symfony\Component\EventDispatcher\EventDispatcher;
use Symfony\Component\Messenger\Bridge\Redis\Transport\Connection;
use Symfony\Component\Messenger\Bridge\Redis\Transport\RedisTransport;
use Symfony\Component\Messenger\Envelope;
use Symfony\Component\Messenger\Event\WorkerRunningEvent;
use Symfony\Component\Messenger\Handler\HandlersLocator;
use Symfony\Component\Messenger\MessageBus;
use Symfony\Component\Messenger\Middleware\HandleMessageMiddleware;
use Symfony\Component\Messenger\Worker;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php, and not the next two lines
require 'Symfony/Component/Messenger/autoload.php';
require 'Symfony/Component/EventDispatcher/autoload.php';

final class KeepConnectionsAlive
{
    /** @var string[] "host:port" of the databases, queues and caches that the jobs use */
    private array $addresses;

    public function __construct(string ...$addresses)
    {
        $this->addresses = $addresses;
    }

    public function __invoke(WorkerRunningEvent $event): void
    {
        foreach ($this->addresses as $address) {
            Keepalive::enableConnectionsTo($address, Settings::detectWithin(30));
        }
    }
}

$host = getenv('REDIS_HOST') ?: '127.0.0.1';
$port = (int) (getenv('REDIS_PORT') ?: 6379);

$dispatcher = new EventDispatcher();
$dispatcher->addListener(WorkerRunningEvent::class, new KeepConnectionsAlive("$host:$port"));

$transport = new RedisTransport(Connection::fromDsn("redis://$host:$port/messages"));
$bus = new MessageBus([new HandleMessageMiddleware(new HandlersLocator([
    stdClass::class => [static function (stdClass $job): void {
        echo "$job->text\n";
    }],
]))]);
$worker = new Worker(['redis' => $transport], $bus, $dispatcher);
$dispatcher->addListener(WorkerRunningEvent::class, static function (WorkerRunningEvent $event) use ($worker): void {
    if (!$event->isWorkerIdle()) {
        $worker->stop(); // after the first message: this is an example
    }
});
$transport->send(new Envelope((object) ['text' => 'done']));
$worker->run();
