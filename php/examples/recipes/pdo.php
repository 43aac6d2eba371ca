<?php

/**
 * PDO: one function that connects, so that every connection has keepalive.
 *
 *     DB_HOST=db.example DB_USER=app DB_PASSWORD=... php pdo.php
 */

declare(strict_types=1);

use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php

function connect(string $host, int $port, string $user, string $password): PDO
{
    $pdo = new PDO("mysql:host=$host;port=$port", $user, $password, [
        PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
        PDO::ATTR_PERSISTENT => true, // an old connection comes back with what was set on it: set again, it is the same
    ]);
    Keepalive::enableConnectionsTo("$host:$port", Settings::detectWithin(30));
    return $pdo;
}

$host = getenv('DB_HOST') ?: '127.0.0.1';
$port = (int) (getenv('DB_PORT') ?: 3306);
$pdo = connect($host, $port, getenv('DB_USER') ?: 'root', getenv('DB_PASSWORD') ?: '');
echo $pdo->query('SELECT 6 * 7')->fetchColumn(), "\n";
