<?php

/**
 * PDO: one function that connects, so that every connection has keepalive.
 *
 *     DB_DSN='mysql:host=db.example' DB_USER=app DB_PASSWORD=... php pdo.php
 *
 * For MySQL it works with every DSN: with a host name (nothing is looked up here), without a port, with a unix socket
 * (which needs no keepalive).
 */

declare(strict_types=1);

use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php

function connect(string $dsn, string $user, string $password): PDO
{
    $pdo = new PDO($dsn, $user, $password, [
        PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
        PDO::ATTR_PERSISTENT => true, // an old connection comes back with what was set on it, and is left alone below
    ]);
    $port = preg_match('/port=(\d+)/', $dsn, $found) === 1 ? $found[1] : 3306;
    Keepalive::tryToEnableConnectionsTo("*:$port", Settings::detectWithin(30));
    return $pdo;
}

$pdo = connect(getenv('DB_DSN') ?: 'mysql:host=127.0.0.1', getenv('DB_USER') ?: 'root', getenv('DB_PASSWORD') ?: '');
echo $pdo->query('SELECT 6 * 7')->fetchColumn(), "\n";
