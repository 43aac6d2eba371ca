<?php

/** A PDO client that waits for an answer, or asks for one when it reads a line: database.php wait|ask HOST PORT */

declare(strict_types=1);

[, $what, $host, $port] = $argv;
$pdo = new PDO("mysql:host=$host;port=$port", 'root', '', [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
echo "connected\n";
if ($what === 'ask') {
    fgets(STDIN);
    $pdo->query('SELECT 1');
}
$pdo->query('SELECT SLEEP(3600)');
