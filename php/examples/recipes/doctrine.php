<?php

/**
 * Doctrine DBAL: the middleware of this package, so that reconnects and replicas are included.
 *
 *     DATABASE_URL=mysql://app:...@db.example/app php doctrine.php
 */

declare(strict_types=1);

use Doctrine\DBAL\Configuration;
use Doctrine\DBAL\DriverManager;
use Doctrine\DBAL\Tools\DsnParser;
use Keepalive\Integration\Doctrine\KeepaliveMiddleware;
use Keepalive\Settings;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php, and not the next line
require 'Doctrine/DBAL/autoload.php';

$configuration = new Configuration();
$configuration->setMiddlewares([new KeepaliveMiddleware(Settings::detectWithin(30))]);

$parameters = (new DsnParser(['mysql' => 'pdo_mysql']))->parse(getenv('DATABASE_URL') ?: 'mysql://root@127.0.0.1/');
$connection = DriverManager::getConnection($parameters, $configuration);
echo $connection->fetchOne('SELECT 6 * 7'), "\n";

$connection->close(); // what a worker does when a query says that the connection is lost
echo $connection->fetchOne('SELECT 6 * 7'), "\n";
