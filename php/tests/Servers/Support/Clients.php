<?php

declare(strict_types=1);

namespace Keepalive\Tests\Servers\Support;

use PhpAmqpLib\Connection\AbstractConnection;
use PhpAmqpLib\Connection\AMQPSSLConnection;
use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Message\AMQPMessage;

/**
 * PHP's clients of those servers, as an application uses them: none shows its socket.
 *
 * Each connects, and returns two closures: one asks the server something to which the answer is
 * "42", the other waits for an answer that never comes (null where the client cannot).
 */
final class Clients
{
    /** name => [server, method]; the name is what the table in docs/recipes.md says */
    private const ALL = [
        'PDO MySQL' => ['mariadb', 'pdoMysql'],
        'mysqli' => ['mariadb', 'mysqli'],
        'Doctrine DBAL' => ['mariadb', 'doctrine'],
        'PDO PostgreSQL' => ['postgresql', 'pdoPgsql'],
        'pgsql' => ['postgresql', 'pgsql'],
        'phpredis' => ['redis', 'phpredis'],
        'Predis' => ['redis', 'predis'],
        'memcached' => ['memcached', 'memcached'],
        'php-amqplib' => ['rabbitmq', 'amqplib'],
        'php-amqplib, TLS' => ['rabbitmq-tls', 'amqplibTls'],
        'amqp' => ['rabbitmq', 'amqp'],
        'curl, HTTPS' => ['https', 'curl'],
        'Guzzle, HTTPS' => ['https', 'guzzle'],
    ];

    /** Debian puts the libraries here, each with an autoloader. */
    private const LIBRARIES = '/usr/share/php';

    /** @return string[] */
    public static function names(): array
    {
        return array_keys(self::ALL);
    }

    public static function server(string $name): string
    {
        return self::ALL[$name][0];
    }

    public static function canWait(string $name): bool
    {
        return $name !== 'memcached';
    }

    /** @return array{callable(): string, (callable(): mixed)|null} */
    public static function connect(string $name, string $host, int $port, string $authority): array
    {
        return call_user_func([self::class, self::ALL[$name][1]], $host, $port, $authority);
    }

    private static function pdoMysql(string $host, int $port): array
    {
        $pdo = new \PDO("mysql:host=$host;port=$port", 'root', '', [\PDO::ATTR_ERRMODE => \PDO::ERRMODE_EXCEPTION]);
        return [
            static fn () => (string) $pdo->query('SELECT 6 * 7')->fetchColumn(),
            static fn () => $pdo->query('SELECT SLEEP(3600)'),
        ];
    }

    private static function mysqli(string $host, int $port): array
    {
        mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
        $mysqli = new \mysqli($host, 'root', '', '', $port);
        return [
            static fn () => (string) $mysqli->query('SELECT 6 * 7')->fetch_row()[0],
            static fn () => $mysqli->query('SELECT SLEEP(3600)'),
        ];
    }

    private static function doctrine(string $host, int $port): array
    {
        require_once self::LIBRARIES . '/Doctrine/DBAL/autoload.php';
        $connection = \Doctrine\DBAL\DriverManager::getConnection(
            ['driver' => 'pdo_mysql', 'host' => $host, 'port' => $port, 'user' => 'root', 'password' => '']
        );
        return [
            static fn () => (string) $connection->fetchOne('SELECT 6 * 7'),
            static fn () => $connection->fetchOne('SELECT SLEEP(3600)'),
        ];
    }

    private static function pdoPgsql(string $host, int $port): array
    {
        $pdo = new \PDO("pgsql:host=$host;port=$port", 'postgres', '', [\PDO::ATTR_ERRMODE => \PDO::ERRMODE_EXCEPTION]);
        return [
            static fn () => (string) $pdo->query('SELECT 6 * 7')->fetchColumn(),
            static fn () => $pdo->query('SELECT pg_sleep(3600)'),
        ];
    }

    private static function pgsql(string $host, int $port): array
    {
        $connection = pg_connect("host=$host port=$port user=postgres");
        $ask = static function (string $query) use ($connection) {
            $result = @pg_query($connection, $query);
            if ($result === false) {
                throw new \RuntimeException(pg_last_error($connection));
            }
            return pg_fetch_result($result, 0, 0);
        };
        return [static fn () => $ask('SELECT 6 * 7'), static fn () => $ask('SELECT pg_sleep(3600)')];
    }

    private static function phpredis(string $host, int $port): array
    {
        $redis = new \Redis();
        $redis->connect($host, $port);
        $redis->setOption(\Redis::OPT_READ_TIMEOUT, -1);
        return [
            static fn () => (string) $redis->eval('return 6 * 7'),
            static fn () => $redis->blPop(['a queue that stays empty'], 0),
        ];
    }

    private static function predis(string $host, int $port): array
    {
        require_once self::LIBRARIES . '/Predis/autoload.php';
        $redis = new \Predis\Client(['host' => $host, 'port' => $port, 'read_write_timeout' => -1]);
        return [
            static fn () => (string) $redis->eval('return 6 * 7', 0),
            static fn () => $redis->blpop(['a queue that stays empty'], 0),
        ];
    }

    private static function memcached(string $host, int $port): array
    {
        $memcached = new \Memcached();
        $memcached->addServer($host, $port);
        return [
            static function () use ($memcached): string {
                if (!$memcached->set('answer', '42')) {
                    throw new \RuntimeException($memcached->getResultMessage());
                }
                return $memcached->get('answer');
            },
            null, // it waits five seconds at most
        ];
    }

    private static function amqplib(string $host, int $port): array
    {
        require_once self::LIBRARIES . '/PhpAmqpLib/autoload.php';
        return self::overAmqp(new AMQPStreamConnection($host, $port, 'guest', 'guest'));
    }

    private static function amqplibTls(string $host, int $port, string $authority): array
    {
        require_once self::LIBRARIES . '/PhpAmqpLib/autoload.php';
        $tls = ['cafile' => $authority, 'verify_peer' => true];
        return self::overAmqp(new AMQPSSLConnection($host, $port, 'guest', 'guest', '/', $tls));
    }

    private static function overAmqp(AbstractConnection $connection): array
    {
        $channel = $connection->channel();
        [$queue] = $channel->queue_declare();
        return [
            static function () use ($channel, $queue): string {
                $channel->basic_publish(new AMQPMessage('42'), '', $queue);
                // The broker takes a message in before it answers the next command of the channel.
                return $channel->basic_get($queue, true)->getBody();
            },
            static function () use ($channel, $queue): void {
                $channel->basic_consume($queue);
                while (true) {
                    $channel->wait();
                }
            },
        ];
    }

    private static function amqp(string $host, int $port): array
    {
        $connection = new \AMQPConnection(['host' => $host, 'port' => $port, 'login' => 'guest', 'password' => 'guest']);
        $connection->connect();
        $channel = new \AMQPChannel($connection);
        $queue = new \AMQPQueue($channel);
        $queue->setFlags(AMQP_EXCLUSIVE);
        $queue->declareQueue();
        $exchange = new \AMQPExchange($channel);
        return [
            static function () use ($connection, $exchange, $queue): string {
                $exchange->publish('42', $queue->getName());
                return $queue->get(AMQP_AUTOACK)->getBody();
            },
            static fn () => $queue->consume(static fn () => true),
        ];
    }

    private static function curl(string $host, int $port, string $authority): array
    {
        $curl = curl_init();
        curl_setopt_array($curl, [CURLOPT_CAINFO => $authority, CURLOPT_RETURNTRANSFER => true]);
        $get = static function (string $path) use ($curl, $host, $port): string {
            curl_setopt($curl, CURLOPT_URL, "https://$host:$port$path");
            $body = curl_exec($curl);
            if ($body === false) {
                throw new \RuntimeException(curl_error($curl));
            }
            // From now on, because curl opens a new connection if a kept one dies.
            curl_setopt($curl, CURLOPT_CONNECTTIMEOUT, 1);
            return $body;
        };
        return [static fn () => $get('/42'), static fn () => $get('/wait')];
    }

    private static function guzzle(string $host, int $port, string $authority): array
    {
        require_once self::LIBRARIES . '/GuzzleHttp/autoload.php';
        $client = new \GuzzleHttp\Client(['base_uri' => "https://$host:$port", 'verify' => $authority]);
        $connectTimeout = 30;
        $get = static function (string $path) use ($client, &$connectTimeout): string {
            $body = (string) $client->get($path, ['connect_timeout' => $connectTimeout])->getBody();
            $connectTimeout = 1; // as above
            return $body;
        };
        return [static fn () => $get('/42'), static fn () => $get('/wait')];
    }
}
