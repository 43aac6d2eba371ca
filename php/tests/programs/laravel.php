<?php

/** The lines for Laravel from docs/recipes.md, in the file of the first argument, in a queue worker. */

declare(strict_types=1);

use Illuminate\Container\Container;
use Illuminate\Events\Dispatcher;
use Illuminate\Queue\Events\Looping;
use Illuminate\Queue\QueueManager;
use Illuminate\Support\Facades\Facade;
use Keepalive\Keepalive;

require __DIR__ . '/../bootstrap.php';

foreach (['Queue', 'Events', 'Container'] as $part) {
    require_once "/usr/share/php/Illuminate/$part/autoload.php";
}
$app = new Container();
$app->instance('events', new Dispatcher($app));
$app->instance('queue', new QueueManager($app));
Facade::setFacadeApplication($app);
require $argv[1];
$server = stream_socket_server('tcp://127.0.0.1:0');
$client = stream_socket_client('tcp://' . stream_socket_get_name($server, false));
$app['events']->until(new Looping('redis', 'default')); // as Worker::daemonShouldRun()
echo Keepalive::settings($client)->userTimeoutMs();
