<?php

/**
 * Doctrine DBAL: a driver middleware, so that reconnects and replicas are included.
 *
 *     DB_HOST=db.example DB_USER=app DB_PASSWORD=... php doctrine.php
 */

declare(strict_types=1);

use Doctrine\DBAL\Configuration;
use Doctrine\DBAL\Driver;
use Doctrine\DBAL\Driver\Middleware;
use Doctrine\DBAL\Driver\Middleware\AbstractDriverMiddleware;
use Doctrine\DBAL\DriverManager;
use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php, and not the next line
require 'Doctrine/DBAL/autoload.php';

final class KeepaliveMiddleware implements Middleware
{
    public function wrap(Driver $driver): Driver
    {
        return new class ($driver) extends AbstractDriverMiddleware {
            public function connect(array $params): Driver\Connection
            {
                $connection = parent::connect($params);
                Keepalive::enableConnectionsTo("{$params['host']}:{$params['port']}", Settings::detectWithin(30));
                return $connection;
            }
        };
    }
}

$configuration = new Configuration();
$configuration->setMiddlewares([new KeepaliveMiddleware()]);
$connection = DriverManager::getConnection([
    'driver' => 'pdo_mysql',
    'host' => getenv('DB_HOST') ?: '127.0.0.1',
    'port' => (int) (getenv('DB_PORT') ?: 3306),
    'user' => getenv('DB_USER') ?: 'root',
    'password' => getenv('DB_PASSWORD') ?: '',
], $configuration);
echo $connection->fetchOne('SELECT 6 * 7'), "\n";

$connection->close(); // what a worker does when a query says that the connection is lost
echo $connection->fetchOne('SELECT 6 * 7'), "\n";
