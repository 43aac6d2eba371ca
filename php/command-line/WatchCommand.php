<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

use Keepalive\CommandLine\Watch\Changes;
use Keepalive\CommandLine\Watch\Ending;
use Keepalive\CommandLine\Watch\Keyboard;
use Keepalive\CommandLine\Watch\OtherProcess;
use Keepalive\CommandLine\Watch\OwnConnection;
use Keepalive\CommandLine\Watch\Panel;
use Keepalive\CommandLine\Watch\Sample;
use Keepalive\CommandLine\Watch\Screen;
use Keepalive\CommandLine\Watch\Target;
use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Exception\UnavailableException;
use Keepalive\Internal\Php;
use Keepalive\Internal\Library;
use Keepalive\Settings;

/**
 * keepalive watch: what the kernel knows of TCP connections, while it happens.
 *
 * @internal
 */
final class WatchCommand implements Command
{
    /** Between two looks at the kernel, in microseconds; its own timers are hardly more exact. */
    private const PERIOD = 100000;

    /** Of a shell, for what a signal ended: this and the signal's number. */
    private const SIGNALLED = 128;

    private const OPTIONS = ['idle' => 60, 'interval' => 10, 'count' => 6, 'pid' => null];

    /** "tcp://host:port", roughly: what is a usage error before anything is opened. */
    private const ADDRESS = '~^((tcp|tls)://)?(\[[^]]+\]|[^][:/]+):\d+$~D';

    private Screen $screen;
    private Keyboard $keyboard;
    private Target $target;
    /** When it began, in seconds on the clock of hrtime(). */
    private float $start;
    /** How the connection that was watched has ended, the latest where there were several. */
    private ?Ending $ending = null;
    private ?int $signal = null;
    private bool $isQuit = false;
    private bool $isResized = false;

    public function summary(): string
    {
        return 'connections live: silence, probes, time until the kernel gives up';
    }

    public function help(): string
    {
        return <<<'HELP'
            Usage: keepalive watch ADDRESS [--idle S] [--interval S] [--count N]
                   keepalive watch --pid PID

            Shows what the kernel knows of TCP connections while it happens: state,
            settings, when the peer was last heard, probes without an answer, the timer, and
            the time left until the kernel would give the connection up.

            On a terminal it is a live picture, below one line for each change, and q ends
            it; elsewhere, or where TERM is dumb, it is the lines only, which begin with the
            seconds since the start. NO_COLOR is respected.

            With an ADDRESS, tcp://host:port or tls://host:port, it opens a connection of
            its own, sends nothing after the handshake, throws away what comes, and ends
            when the connection does. A TLS server's certificate must be valid;
            SSL_CERT_FILE=FILE makes an authority of your own known.

              --idle SECONDS       silence before the first probe; default 60
              --interval SECONDS   from one probe to the next; default 10
              --count PROBES       unanswered, until the kernel gives up; default 6

            With --pid it watches all TCP sockets of a process, in a container too, until
            the process ends. It changes nothing there. The kernel tells an error to the
            process only, so how a connection ended is concluded from its state and timer.
            This takes Linux 5.6, and root, or the process's user where users may debug
            their processes. With several sockets it is a table: 60/10/6+120 are idle,
            interval, count and user timeout.

            Exit status: how the connection ended: 0 orderly, 3 timed out (ETIMEDOUT),
            4 reset (ECONNRESET), 5 unreachable (EHOSTUNREACH, ENETUNREACH, ECONNREFUSED),
            1 another error. With --pid: 0 when the process has ended. 0 after q, 130 after
            Ctrl-C, 143 after SIGTERM; 1 if it could not begin, 2 for a wrong command line.

            HELP;
    }

    public function run(array $arguments): int
    {
        [$address, $options] = self::parse($arguments);
        if (PHP_OS_FAMILY !== 'Linux') {
            throw new UnavailableException('keepalive watch works on Linux only.');
        }
        Php::need('file', 'file_get_contents', 'readlink', 'scandir');
        try {
            Library::find();
        } catch (UnavailableException $why) {
            throw new UnavailableException("watch needs FFI and the shared library. {$why->getMessage()}");
        }
        $this->screen = new Screen();
        $this->keyboard = new Keyboard();
        $this->start = hrtime(true) / 1e9;
        try {
            $this->open($address, $options);
            $this->listenToSignals();
            $this->keyboard->open();
            $this->watch();
        } finally {
            $this->screen->close();
            $this->keyboard->close();
        }
        if ($this->signal !== null) {
            return self::SIGNALLED + $this->signal;
        }
        return $address === null || $this->isQuit || $this->ending === null ? Application::OK : $this->ending->status;
    }

    /** @param array<string, int|null> $options */
    private function open(?string $address, array $options): void
    {
        if ($address === null) {
            $this->target = new OtherProcess($options['pid']);
            $line = $this->timed("watching {$this->target->name()}");
            $this->screen->show([Screen::beginning($line, Screen::WIDTH)], []);
            return;
        }
        try {
            $settings = Settings::of($options['idle'], $options['interval'], $options['count']);
            $this->screen->show([$this->timed("connecting to $address")], []);
            $this->target = new OwnConnection($address, $settings);
        } catch (InvalidArgumentException $wrong) {
            throw new UsageError($wrong->getMessage());
        }
    }

    private function watch(): void
    {
        $panel = new Panel($this->screen, $this->keyboard->isOpen() ? 'q ends it' : 'Ctrl-C ends it');
        $before = null;
        while ($this->signal === null && !$this->isQuit) {
            $now = $this->target->samples($before ?? []);
            $lines = $this->changes($before, $now);
            if ($this->target->isOver()) {
                if ($this->target instanceof OtherProcess) {
                    $lines[] = 'the process has ended';
                } elseif ($this->target instanceof OwnConnection && $this->ending === null) { // before the first look
                    $this->ending = $this->target->end();
                    $lines[] = $this->ending->after(null);
                }
                $this->screen->show(array_map([$this, 'timed'], $lines), []);
                return;
            }
            if ($this->isResized) {
                $this->isResized = false;
                $this->screen->measure();
            }
            $this->screen->show(array_map([$this, 'timed'], $lines), $panel->lines($this->target->name(), $now));
            $before = $now;
            $this->isQuit = strpos($this->keyboard->read(self::PERIOD), 'q') !== false;
        }
    }

    private function timed(string $line): string
    {
        return sprintf('%7.1f s  %s', hrtime(true) / 1e9 - $this->start, $line);
    }

    /**
     * @param Sample[]|null $before by inode; null at first
     * @param Sample[] $now by inode
     * @return string[]
     */
    private function changes(?array $before, array $now): array
    {
        if ($before === null && $this->screen->isLive()) {
            return []; // the panel says it
        }
        if ($before === null && $now === [] && $this->target instanceof OtherProcess && !$this->target->isOver()) {
            return ['no TCP sockets'];
        }
        $before = $before ?? [];
        $changes = [];
        $say = function (Sample $sample, string $text, ?string $colour = null) use (&$changes): void {
            $text = $this->target instanceof OtherProcess ? "fd $sample->fd: $text" : $text;
            $changes[] = $colour === null ? $text : $this->screen->coloured($text, $colour);
        };
        foreach (array_diff_key($before, $now) as $inode => $last) {
            $this->ending = $this->target->ending($inode, $last);
            $say($last, $this->ending->after($last), $this->ending->status === Application::OK ? Screen::BOLD : Screen::RED);
        }
        foreach ($now as $inode => $sample) {
            if (isset($before[$inode])) {
                foreach (Changes::between($before[$inode], $sample) as $change) {
                    $say($sample, $change);
                }
            } else {
                foreach (Changes::atFirst($sample) as $change) {
                    $say($sample, $change);
                }
            }
        }
        return $changes;
    }

    private function listenToSignals(): void
    {
        if (!function_exists('pcntl_async_signals')) {
            return; // they end the program as they do by default
        }
        pcntl_async_signals(true);
        $stop = function (int $signal): void {
            $this->signal = $signal;
        };
        foreach ([SIGINT, SIGTERM, SIGHUP] as $signal) {
            pcntl_signal($signal, $stop, false);
        }
        pcntl_signal(SIGWINCH, function (): void {
            $this->isResized = true;
        }, false);
    }

    /**
     * @param string[] $arguments
     * @return array{string|null, array<string, int|null>} address and options
     */
    private static function parse(array $arguments): array
    {
        $address = null;
        $given = [];
        while ($arguments !== []) {
            $argument = array_shift($arguments);
            if (strncmp($argument, '--', 2) !== 0) {
                if ($address !== null) {
                    throw new UsageError("watch takes one address; \"$argument\" is another.");
                }
                $address = $argument;
                continue;
            }
            [$name, $value] = explode('=', substr($argument, 2), 2) + [1 => null];
            if (!array_key_exists($name, self::OPTIONS)) {
                throw new UsageError("watch has no option --$name.");
            }
            $value = $value ?? array_shift($arguments) ?? '';
            $number = filter_var($value, FILTER_VALIDATE_INT);
            if ($number === false || $number < 1) {
                throw new UsageError("--$name takes a number from 1; \"$value\" was given.");
            }
            $given[$name] = $number;
        }
        if (($address === null) === !isset($given['pid'])) {
            throw new UsageError('watch takes an address, or --pid; one of the two.');
        }
        if ($address !== null && preg_match(self::ADDRESS, $address) !== 1) {
            throw new UsageError("watch takes an address such as tcp://db.example:5432; \"$address\" was given.");
        }
        if ($address === null && count($given) > 1) {
            throw new UsageError('with --pid nothing is set: leave out --idle, --interval and --count.');
        }
        return [$address, $given + self::OPTIONS];
    }
}
