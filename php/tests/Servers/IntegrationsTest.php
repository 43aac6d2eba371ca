<?php

declare(strict_types=1);

namespace Keepalive\Tests\Servers;

use Doctrine\DBAL\Configuration;
use Doctrine\DBAL\Connection;
use Doctrine\DBAL\Connections\PrimaryReadReplicaConnection;
use Doctrine\DBAL\DriverManager;
use Keepalive\Exception\UnavailableException;
use Keepalive\Integration\Doctrine\KeepaliveMiddleware;
use Keepalive\Integration\Symfony\KeepaliveListener;
use Keepalive\Keepalive;
use Keepalive\OpenSocket;
use Keepalive\Settings;
use Keepalive\Tests\Servers\Support\Servers;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use Keepalive\Tests\Support\Kernel;
use Keepalive\Tests\Support\Sockets;
use Psr\Log\AbstractLogger;
use Symfony\Component\Config\FileLocator;
use Symfony\Component\DependencyInjection\ContainerBuilder;
use Symfony\Component\DependencyInjection\Loader\YamlFileLoader;

/** The classes of php/integrations, and what docs/recipes.md shows of them, in the real frameworks. */
final class IntegrationsTest extends KeepaliveTestCase
{
    private static ?Servers $servers = null;

    public static function setUpBeforeClass(): void
    {
        self::$servers = new Servers('127.0.0.1', [], ['mariadb']);
        $libraries = ['Doctrine/DBAL', 'Psr/Log', 'Symfony/Component/Messenger', 'Symfony/Component/EventDispatcher',
            'Symfony/Component/Config', 'Symfony/Component/DependencyInjection', 'Symfony/Component/Yaml'];
        foreach ($libraries as $library) {
            require_once "/usr/share/php/$library/autoload.php";
        }
    }

    protected function setUp(): void
    {
        parent::setUp();
        gc_collect_cycles(); // Doctrine's connections refer to themselves
    }

    public static function tearDownAfterClass(): void
    {
        self::$servers = null;
    }

    public function testDoctrineSetsWhatItOpensAndNothingElse(): void
    {
        $other = new \PDO('mysql:host=127.0.0.1;port=' . self::$servers->port('mariadb'), 'root', '');
        self::assertCount(1, $others = self::connections());
        $doctrine = self::doctrine([], new KeepaliveMiddleware(Settings::of(47, 11, 5, 102000)));
        self::assertSame('42', (string) $doctrine->fetchOne('SELECT 6 * 7'));
        [$new] = array_values(array_udiff(self::connections(), $others, static function (OpenSocket $one, OpenSocket $other): int {
            return $one->local() <=> $other->local();
        }));
        self::assertSame(
            ['on' => 1, 'idle' => 47, 'interval' => 11, 'count' => 5, 'userTimeoutMs' => 102000],
            Kernel::options($new->fd())
        );
        self::assertSame(Kernel::defaults()['idle'], Kernel::options($others[0]->fd())['idle']);
    }

    public function testDoctrineWithoutSettings(): void
    {
        self::doctrine([], new KeepaliveMiddleware())->fetchOne('SELECT 1');
        self::assertSame(60, Kernel::options(self::connections()[0]->fd())['idle']);
    }

    public function testDoctrinesReplicasToo(): void
    {
        $server = ['host' => '127.0.0.1', 'port' => self::$servers->port('mariadb'), 'user' => 'root', 'password' => ''];
        $doctrine = self::doctrine(
            ['wrapperClass' => PrimaryReadReplicaConnection::class, 'primary' => $server, 'replica' => [$server],
                'keepReplica' => true],
            new KeepaliveMiddleware(Settings::of(47, 11, 5))
        );
        $doctrine->fetchOne('SELECT 1');
        $doctrine->ensureConnectedToPrimary();
        self::assertSame([47, 47], array_map(static function (OpenSocket $socket): int {
            return Kernel::options($socket->fd())['idle'];
        }, self::connections()));
    }

    public function testDoctrineOverAUnixSocketLogsNothing(): void
    {
        $logger = self::logger();
        $doctrine = self::doctrine(
            ['host' => null, 'port' => null, 'unix_socket' => self::$servers->unixSocket('mariadb')],
            new KeepaliveMiddleware(Settings::detectWithin(30), $logger)
        );
        self::assertSame('42', (string) $doctrine->fetchOne('SELECT 6 * 7'));
        self::assertSame([], $logger->said);
    }

    public function testDoctrineGoesOnAndLogsWhereThereIsNoFfi(): void
    {
        self::useBackend('sockets');
        $logger = self::logger();
        $doctrine = self::doctrine([], new KeepaliveMiddleware(Settings::detectWithin(30), $logger));
        self::assertSame('42', (string) $doctrine->fetchOne('SELECT 6 * 7'));
        self::assertCount(1, $logger->said);
        [$level, $message, $context] = $logger->said[0];
        self::assertSame('warning', $level);
        self::assertStringStartsWith('Keepalive was not enabled on a database connection: Keepalive::sockets() needs FFI', $message);
        self::assertInstanceOf(UnavailableException::class, $context['exception']);
    }

    public function testMessengersListenerTakesAllOrWhatItIsTold(): void
    {
        $pair = Sockets::pair('127.0.0.1');
        $port = Sockets::port($pair->peer);
        (new KeepaliveListener(null, ['*:1', "127.0.0.0/8:$port"]))->onWorkerRunning();
        self::assertSame(60, $pair->options()['idle']);
        (new KeepaliveListener(Settings::of(47, 11, 5)))->onWorkerRunning();
        self::assertSame(47, $pair->options()['idle']);
    }

    public function testMessengersListenerGoesOnAndLogsOnce(): void
    {
        self::useBackend('sockets');
        $logger = self::logger();
        $listener = new KeepaliveListener(Settings::detectWithin(30), ['*:2'], $logger);
        $listener->onWorkerRunning();
        $listener->onWorkerRunning();
        self::assertCount(1, $logger->said);
        self::assertSame('warning', $logger->said[0][0]);
        self::assertInstanceOf(UnavailableException::class, $logger->said[0][2]['exception']);
    }

    public function testThePagesServicesAreThoseOfSymfonysContainer(): void
    {
        file_put_contents($this->folder() . '/services.yaml', self::block('yaml'));
        $container = new ContainerBuilder();
        (new YamlFileLoader($container, new FileLocator($this->folder())))->load('services.yaml');
        foreach ($container->getDefinitions() as $definition) {
            $definition->setPublic(true);
        }
        $container->compile();
        self::assertEquals(new KeepaliveMiddleware(Settings::detectWithin(30)), $container->get(KeepaliveMiddleware::class));
        self::assertEquals(new KeepaliveListener(Settings::detectWithin(30)), $container->get(KeepaliveListener::class));
        self::assertSame([KeepaliveListener::class => [[]]], $container->findTaggedServiceIds('kernel.event_subscriber'));
    }

    public function testThePagesLinesForLaravel(): void
    {
        $uses = 'use Illuminate\Support\Facades\Queue; use Keepalive\Keepalive; use Keepalive\Settings;';
        $lines = $this->folder() . '/lines.php';
        file_put_contents($lines, "<?php $uses\n" . self::block('php', 'Queue::looping'));
        $flags = ['-d', 'error_reporting=' . (E_ALL & ~E_DEPRECATED)];
        $child = Child::program('laravel', $flags, [], [], [$lines]);
        self::assertSame('13000', $child->output, $child->errors);
    }

    /** The first block of the page in this language that has this text. */
    private static function block(string $language, string $with = ''): string
    {
        $page = (string) file_get_contents(dirname(__DIR__, 3) . '/docs/recipes.md');
        preg_match_all("/^```$language\\n(.*?)^```/ms", $page, $blocks);
        foreach ($blocks[1] as $block) {
            if ($with === '' || strpos($block, $with) !== false) {
                return $block;
            }
        }
        throw new \LogicException("docs/recipes.md has no such block: $language, $with.");
    }

    /** @param array<string, mixed> $parameters */
    private static function doctrine(array $parameters, KeepaliveMiddleware $middleware): Connection
    {
        $configuration = new Configuration();
        $configuration->setMiddlewares([$middleware]);
        $port = self::$servers->port('mariadb');
        return DriverManager::getConnection(
            $parameters + ['driver' => 'pdo_mysql', 'host' => '127.0.0.1', 'port' => $port, 'user' => 'root', 'password' => ''],
            $configuration
        );
    }

    /** @return OpenSocket[] to the database */
    private static function connections(): array
    {
        return array_values(array_filter(Keepalive::sockets(), static function (OpenSocket $socket): bool {
            return $socket->remote() === '127.0.0.1:' . self::$servers->port('mariadb');
        }));
    }

    private static function logger(): AbstractLogger
    {
        return new class extends AbstractLogger {
            /** @var array<array{string, string, array<string, mixed>}> */
            public array $said = [];

            public function log($level, $message, array $context = []): void
            {
                $this->said[] = [$level, (string) $message, $context];
            }
        };
    }
}
