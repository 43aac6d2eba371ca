<?php

/** A usual worker; the variable DATABASE says where its database is: stuck-worker.php [later] */

declare(strict_types=1);

$pdo = new PDO('mysql:' . getenv('DATABASE'), 'root', '', [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$pdo->query('SELECT 1')->fetchAll();
echo "waiting\n";
try {
    if (($argv[1] ?? '') === 'later') {
        fgets(STDIN); // until the network is cut
    }
    $pdo->query('SELECT SLEEP(3600)');
    echo "answered\n";
} catch (PDOException $exception) {
    echo $exception->getMessage(), "\n";
}
posix_kill(getmypid(), SIGKILL); // PDO would say goodbye to the server
