<?php

/**
 * Symfony Messenger: the listener of this package, for whatever the worker is connected to.
 *
 *     REDIS_DSN=redis://redis.example/messages php symfony-messenger.php
 *
 * In a Symfony application the listener is a service, and the rest of this file is Symfony's own.
 */

declare(strict_types=1);

use Keepalive\Integration\Symfony\KeepaliveListener;
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

$dispatcher = new EventDispatcher();
$dispatcher->addSubscriber(new KeepaliveListener(Settings::detectWithin(30)));

$transport = new RedisTransport(Connection::fromDsn(getenv('REDIS_DSN') ?: 'redis://127.0.0.1/messages'));
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
