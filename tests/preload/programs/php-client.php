<?php

/**
 * One of PHP's clients, which asks the server for 42 at the start and for each line that it reads, and
 * opens its connection again by its own means: php-client.php CLIENT HOST PORT CERTIFICATE
 */

declare(strict_types=1);

[, $client, $host, $port, $authority] = $argv;
$port = (int) $port;

/** Asks; most clients notice here that their connection is gone. */
$clients = [
    'PDO MySQL' => static function () use ($host, $port): string {
        // Opening a persistent connection returns the old one, unless it is gone.
        $pdo = new PDO("mysql:host=$host;port=$port", 'root', '', [PDO::ATTR_PERSISTENT => true]);
        return (string) $pdo->query('SELECT 6 * 7')->fetchColumn();
    },
    'mysqli' => static function () use ($host, $port): string {
        $mysqli = new mysqli("p:$host", 'root', '', '', $port);
        return (string) $mysqli->query('SELECT 6 * 7')->fetch_row()[0];
    },
    'pgsql' => static function () use ($host, $port): string {
        static $connection = null;
        $connection = $connection ?? pg_connect("host=$host port=$port user=postgres");
        pg_ping($connection); // connects again where that is needed
        return (string) pg_fetch_result(pg_query($connection, 'SELECT 6 * 7'), 0, 0);
    },
    'phpredis' => static function () use ($host, $port): string {
        static $redis = null;
        if ($redis === null) {
            $redis = new Redis();
            $redis->connect($host, $port);
        }
        return (string) $redis->eval('return 6 * 7');
    },
    'curl' => static function () use ($host, $port, $authority): string {
        static $curl = null;
        $curl = $curl ?? curl_init("https://$host:$port/42");
        curl_setopt_array($curl, [CURLOPT_CAINFO => $authority, CURLOPT_RETURNTRANSFER => true]);
        $answer = curl_exec($curl);
        return $answer === false ? curl_error($curl) : $answer;
    },
    'SoapClient' => static function () use ($host, $port, $authority): string {
        static $soap = null;
        $soap = $soap ?? new SoapClient(null, [
            'location' => "https://$host:$port/soap",
            'uri' => 'urn:test',
            'stream_context' => stream_context_create(['ssl' => ['cafile' => $authority]]),
        ]);
        return (string) $soap->answer();
    },
    'php-amqplib' => static function () use ($host, $port, $authority): string {
        require_once '/usr/share/php/PhpAmqpLib/autoload.php';
        static $connection = null;
        if ($connection === null) {
            $tls = ['cafile' => $authority, 'verify_peer' => true];
            $connection = new PhpAmqpLib\Connection\AMQPSSLConnection($host, $port, 'guest', 'guest', '/', $tls);
        }
        try {
            $channel = $connection->channel();
        } catch (PhpAmqpLib\Exception\AMQPConnectionClosedException | PhpAmqpLib\Exception\AMQPIOException $gone) {
            $connection->reconnect();
            $channel = $connection->channel();
        }
        [$queue] = $channel->queue_declare();
        $channel->basic_publish(new PhpAmqpLib\Message\AMQPMessage('42'), '', $queue);
        return $channel->basic_get($queue, true)->getBody();
    },
];
do {
    echo 'answer ', @$clients[$client](), "\n";
} while (fgets(STDIN) !== false);
