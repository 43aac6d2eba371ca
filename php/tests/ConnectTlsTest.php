<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Exception\SocketException;
use Keepalive\Keepalive;
use Keepalive\Settings;
use Keepalive\Tests\Support\Certificates;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use Keepalive\Tests\Support\Kernel;
use Keepalive\Tests\Support\Sockets;
use Keepalive\Tests\Support\TlsServer;
use PHPUnit\Framework\Attributes\DataProvider;

/** Keepalive::connect() over TLS: as secure as tls://, and with keepalive before the handshake begins. */
final class ConnectTlsTest extends KeepaliveTestCase
{
    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testItConnectsWithKeepaliveOn(string $backend): void
    {
        self::useBackend($backend);
        $server = self::server();
        $stream = self::connect("tls://localhost:$server->port", [], Settings::of(42, 7, 3, 63000));

        self::assertSame(
            ['on' => 1, 'idle' => 42, 'interval' => 7, 'count' => 3, 'userTimeoutMs' => 63000],
            Kernel::options($stream)
        );
        self::assertSame("hello\n", fgets($stream));
        self::assertTrue(stream_get_meta_data($stream)['blocked']);
        self::assertStringStartsWith('TLSv1.', stream_get_meta_data($stream)['crypto']['protocol']);
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testKeepaliveIsOnBeforeTheHandshake(string $backend): void
    {
        self::useBackend($backend);
        $trace = $this->folder() . '/trace';
        $server = self::server();
        $context = var_export(['ssl' => ['cafile' => Certificates::authority()]], true);
        $child = Child::php(
            "\$stream = Keepalive\Keepalive::connect('tls://localhost:$server->port', null, 5.0,
                stream_context_create($context));
            echo fgets(\$stream), Keepalive\Keepalive::backend();",
            $backend === 'ffi' ? [] : ['-d', 'ffi.enable=0'],
            [],
            null,
            ['strace', '-f', '-qq', '-xx', '-s', '6', '-e', 'trace=setsockopt,write,sendto', '-o', $trace]
        );
        self::assertSame("hello\n$backend", $child->cleanOutput());

        // A handshake begins with a record of type 22 (0x16), version 3.x.
        self::assertMatchesRegularExpression(
            '/TCP_KEEPINTVL.*TCP_KEEPCNT.*TCP_KEEPIDLE.*SO_KEEPALIVE, \[1\].*"\\\\x16\\\\x03/s',
            (string) file_get_contents($trace)
        );
        self::assertDoesNotMatchRegularExpression(
            '/"\\\\x16\\\\x03.*SO_KEEPALIVE/s',
            (string) file_get_contents($trace)
        );
    }

    public function testAServerThatNeverAnswersTheHandshakeIsProbedMeanwhileAndGivenUpInTime(): void
    {
        $listener = Sockets::listener('127.0.0.1');
        $port = Sockets::port($listener);
        $start = microtime(true);
        $child = Child::program('connect-is-probed', [], [], [], [(string) $port]);
        $took = microtime(true) - $start;
        self::assertMatchesRegularExpression(
            "#^keepalive timer, 110 The TLS handshake with tls://127\.0\.0\.1:$port failed: "
            . "ETIMEDOUT: no answer within 1\.5 s\., ended$#",
            $child->cleanOutput()
        );
        self::assertGreaterThan(1.4, $took);
        self::assertLessThan(6, $took);
    }

    public function testANameThatIsNotInTheCertificateIsRefused(): void
    {
        $server = new TlsServer(['local_cert' => Certificates::of('a.test')]);
        $thrown = self::failure("tls://localhost:$server->port");
        self::assertMatchesRegularExpression("/did not match expected (CN=|name )`localhost'/", $thrown->getMessage());
    }

    public function testACertificateOfAnUnknownAuthorityIsRefused(): void
    {
        $server = self::server();
        $thrown = self::thrownBy(static function () use ($server): void {
            Keepalive::connect("tls://localhost:$server->port", null, 5.0);
        });
        self::assertInstanceOf(SocketException::class, $thrown);
        self::assertStringStartsWith("The TLS handshake with tls://localhost:$server->port failed: ", $thrown->getMessage());
        self::assertStringContainsString('certificate verify failed', $thrown->getMessage());
    }

    public function testAServerThatSpeaksNoTlsIsToldFromOneThatClosed(): void
    {
        $plain = Child::program('connect-to-plain');
        self::assertMatchesRegularExpression('/^The TLS handshake with .* failed: .*wrong version/s', $plain->cleanOutput());

        $closing = Child::program('connect-to-plain', [], [], [], ['closes']);
        self::assertMatchesRegularExpression(
            '/^The TLS handshake with .* failed: .*(reset by peer|closed the connection|EOF|SSL: Success)/s', // the last is PHP 7.4's
            $closing->cleanOutput()
        );
    }

    /** @return array<string, array{string, array<string, mixed>, string}> */
    public static function names(): array
    {
        return [
            'the host' => ['localhost', [], 'localhost'],
            'an IPv4 address' => ['127.0.0.1', [], 'localhost'],
            'the context\'s own' => ['127.0.0.1', ['peer_name' => 'a.test'], 'a.test'],
            'another of the context\'s own' => ['localhost', ['peer_name' => 'b.test'], 'b.test'],
        ];
    }

    /**
     * The server chooses its certificate by SNI, and shows localhost's to those who send no name.
     *
     * @dataProvider names
     * @param array<string, mixed> $ssl
     */
    #[DataProvider('names')]
    public function testTheNameIsSentAndVerified(string $host, array $ssl, string $certificate): void
    {
        $server = self::server();
        $stream = self::connect("tls://$host:$server->port", $ssl + ['capture_peer_cert' => true]);

        self::assertSame($certificate, self::commonName($stream));
        self::assertSame("hello\n", fgets($stream));
    }

    public function testATrailingDotIsNoPartOfTheName(): void
    {
        // No name server here knows a name, and to glibc no name with a dot is localhost: so it has its own hosts file.
        file_put_contents($hosts = $this->folder() . '/hosts', "127.0.0.1 a.test.\n");
        $server = self::server();
        $context = var_export(['ssl' => ['cafile' => Certificates::authority()]], true);
        $child = Child::php(
            "echo fgets(Keepalive\Keepalive::connect('tls://a.test.:$server->port', null, 5.0,
                stream_context_create($context)));",
            [],
            [],
            null,
            // The superuser needs no user namespace, and may have none in a chroot.
            ['unshare', posix_geteuid() === 0 ? '-m' : '-Urm', 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', $hosts]
        );
        self::assertSame("hello\n", $child->cleanOutput());
    }

    /**
     * @dataProvider names
     * @param array<string, mixed> $ssl
     */
    #[DataProvider('names')]
    public function testPlainTlsShowsTheSameCertificate(string $host, array $ssl, string $certificate): void
    {
        $server = self::server();
        $ssl += ['cafile' => Certificates::authority(), 'capture_peer_cert' => true];
        $context = stream_context_create(['ssl' => $ssl]);
        $flags = STREAM_CLIENT_CONNECT;
        $plain = stream_socket_client("tls://$host:$server->port", $errno, $message, 5, $flags, $context);
        self::assertSame($certificate, self::commonName($plain));
    }

    public function testForAnIpv6AddressTooTheContextsOwnNameIsVerified(): void
    {
        $server = new TlsServer(['local_cert' => Certificates::of('a.test')], '[::1]');
        self::assertSame("hello\n", fgets(self::connect("tls://[::1]:$server->port", ['peer_name' => 'a.test'])));

        foreach (['a.test', '::1'] as $shown) {
            $server = new TlsServer(['local_cert' => Certificates::of($shown)], '[::1]');
            $thrown = self::failure("tls://[::1]:$server->port", ['peer_name' => 'b.test']);
            self::assertMatchesRegularExpression("/did not match expected (CN=|name )`b\.test'/", $thrown->getMessage());
        }
    }

    public function testAnIpv6AddressIsVerifiedWithoutItsBrackets(): void
    {
        $context = stream_context_create(['ssl' => ['cafile' => Certificates::authority()]]);
        $before = stream_context_get_options($context);
        $right = new TlsServer(['local_cert' => Certificates::of('::1')], '[::1]');
        self::assertSame("hello\n", fgets(Keepalive::connect("tls://[::1]:$right->port", null, 5.0, $context)));

        $wrong = new TlsServer(['local_cert' => Certificates::of('a.test')], '[::1]');
        self::assertMatchesRegularExpression(
            "/did not match expected (CN=|name )`::1'/",
            self::failure("tls://[::1]:$wrong->port")->getMessage()
        );
        self::assertSame($before, stream_context_get_options($context), 'the context is as it was');
    }

    public function testOneContextServesSeveralHosts(): void
    {
        $context = stream_context_create(['ssl' => ['cafile' => Certificates::authority()]]);
        $before = stream_context_get_options($context);
        $localhost = self::server();
        $other = new TlsServer(['local_cert' => Certificates::of('a.test')]);
        Keepalive::connect("tls://localhost:$localhost->port", null, 5.0, $context);
        Keepalive::connect("tls://127.0.0.1:$localhost->port", null, 5.0, $context);

        $thrown = self::thrownBy(static function () use ($other, $context): void {
            Keepalive::connect("tls://127.0.0.1:$other->port", null, 5.0, $context);
        });

        self::assertInstanceOf(SocketException::class, $thrown, 'not a.test under the name of another connection');
        self::assertSame($before, stream_context_get_options($context), 'the context is as it was');
    }

    /** @return array<string, array{mixed}> */
    public static function cryptoMethods(): array
    {
        return [
            'TLS 1.2' => [STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT],
            'as text' => [(string) STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT],
            'a server\'s' => [STREAM_CRYPTO_METHOD_TLSv1_2_SERVER],
            'true' => [true],
            '0' => [0],
            'words' => ['TLS 1.2'],
        ];
    }

    /**
     * @dataProvider cryptoMethods
     * @param mixed $method
     */
    #[DataProvider('cryptoMethods')]
    public function testTheContextsCryptoMethodIsReadAsPhpReadsIt($method): void
    {
        $server = self::server();
        $ssl = ['crypto_method' => $method, 'cafile' => Certificates::authority()];
        $context = stream_context_create(['ssl' => $ssl]);
        $address = "tls://localhost:$server->port";
        $plain = stream_socket_client($address, $errno, $message, 5, STREAM_CLIENT_CONNECT, $context);
        $expected = stream_get_meta_data($plain)['crypto']['protocol'];

        $stream = self::connect($address, ['crypto_method' => $method]);

        self::assertSame($expected, stream_get_meta_data($stream)['crypto']['protocol']);
        self::assertSame("hello\n", fgets($stream));
    }

    public function testCiphersThatThereAreNotAreNamedAsTheReason(): void
    {
        $server = self::server();
        $thrown = self::failure("tls://localhost:$server->port", ['ciphers' => 'nonsense']);
        self::assertStringEndsWith('no cipher match', $thrown->getMessage());
    }

    /**
     * PHP 8.6 lets the context choose how errors of streams are reported. Before, it ignores that option.
     *
     * @return array<string, array{mixed}>
     */
    public static function errorModes(): array
    {
        return PHP_VERSION_ID < 80600 ? ['any' => ['Exception']] : [
            'Error' => [\StreamErrorMode::Error],
            'Exception' => [\StreamErrorMode::Exception],
            'Silent' => [\StreamErrorMode::Silent],
        ];
    }

    /**
     * @dataProvider errorModes
     * @param mixed $mode
     */
    #[DataProvider('errorModes')]
    public function testFailuresAreTheSameInEveryErrorMode($mode): void
    {
        $wrong = new TlsServer(['local_cert' => Certificates::of('a.test')]);
        $silent = Sockets::port($listener = Sockets::listener('127.0.0.1'));
        $attempts = [
            ["tls://localhost:$wrong->port", [], 10.0],
            ["tls://localhost:$wrong->port", ['cafile' => '/nonexistent'], 10.0],
            ["tls://127.0.0.1:$silent", [], 0.5],
            ['tls://127.0.0.1:1', [], 10.0],
            ['tcp://' . str_repeat('too-long-for-any-name-server', 3) . '.invalid:80', [], 10.0],
        ];
        foreach ($attempts as [$address, $ssl, $timeout]) {
            $said = [];
            foreach ([[], ['stream' => ['error_mode' => $mode]]] as $stream) {
                $options = ['ssl' => $ssl + ['cafile' => Certificates::authority()]] + $stream;
                $context = stream_context_create($options);
                $thrown = self::thrownBy(static function () use ($address, $timeout, $context): void {
                    Keepalive::connect($address, null, $timeout, $context);
                });
                $said[] = [get_class($thrown), $thrown->getCode(), $thrown->getMessage()];
                self::assertEquals($options, stream_context_get_options($context), 'the context is as it was');
            }
            self::assertSame($said[0], $said[1]);
            self::assertSame(SocketException::class, $said[0][0]);
        }
    }

    public function testVerificationCanBeSwitchedOffAsUsual(): void
    {
        $server = new TlsServer(['local_cert' => Certificates::of('a.test')]);
        $stream = self::connect("tls://localhost:$server->port", ['verify_peer_name' => false]);
        self::assertSame("hello\n", fgets($stream));
        $stream = Keepalive::connect("tls://localhost:$server->port", null, 5.0, stream_context_create(
            ['ssl' => ['verify_peer' => false, 'verify_peer_name' => false]]
        ));
        self::assertSame("hello\n", fgets($stream));
    }

    public function testTheDefaultContextIsUsedWhereNoneIsGiven(): void
    {
        $server = self::server();
        $child = Child::php(
            'stream_context_set_default(["ssl" => ["cafile" => ' . var_export(Certificates::authority(), true) . ']]);
            echo fgets(Keepalive\Keepalive::connect("tls://localhost:' . $server->port . '"));'
        );
        self::assertSame("hello\n", $child->cleanOutput());
    }

    private static function server(): TlsServer
    {
        return new TlsServer([
            'local_cert' => Certificates::of('localhost'),
            'SNI_enabled' => true,
            'SNI_server_certs' => [
                'a.test' => Certificates::of('a.test'),
                'b.test' => Certificates::of('b.test'),
                'localhost' => Certificates::of('localhost'),
            ],
        ]);
    }

    /**
     * @param array<string, mixed> $ssl
     * @return resource
     */
    private static function connect(string $address, array $ssl = [], ?Settings $settings = null)
    {
        $context = stream_context_create(['ssl' => $ssl + ['cafile' => Certificates::authority()]]);
        return Keepalive::connect($address, $settings, 5.0, $context);
    }

    /** Of the certificate that the server has shown. @param resource $stream */
    private static function commonName($stream): string
    {
        $certificate = stream_context_get_options($stream)['ssl']['peer_certificate'];
        return openssl_x509_parse($certificate)['subject']['CN'];
    }

    /** @param array<string, mixed> $ssl */
    private static function failure(string $address, array $ssl = []): SocketException
    {
        $thrown = self::thrownBy(static function () use ($address, $ssl): void {
            self::connect($address, $ssl);
        });
        self::assertInstanceOf(SocketException::class, $thrown);
        self::assertSame(0, $thrown->getCode());
        self::assertStringStartsWith("The TLS handshake with $address failed: ", $thrown->getMessage());
        return $thrown;
    }
}
