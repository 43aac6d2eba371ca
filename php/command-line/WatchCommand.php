<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

use Keepalive\CommandLine\Watch\Change;
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
use Keepalive\Settings;

/**
 * keepalive watch: what the kernel knows of TCP connections, while it happens.
 *
 * @internal
 */
final class WatchCommand implements Command
{
    /** Microseconds between two samples; the kernel's own timers are hardly more exact. */
    private const PERIOD = 100000;

    /** A shell's exit status for a program that a signal ended: this plus the signal's number. */
    private const SIGNALLED = 128;

    private const KINDS = ['idle' => 1, 'interval' => 1, 'count' => 1, 'pid' => 1, 'json' => Arguments::FLAG];
    private const DEFAULTS = ['idle' => 60, 'interval' => 10, 'count' => 6, 'json' => false];

    /** "tcp://host:port", roughly: anything else is a usage error before anything is opened. */
    private const ADDRESS = '~^((tcp|tls)://)?(\[[^]]+\]|[^][:/]+):\d+$~D';

    private Screen $screen;
    private Keyboard $keyboard;
    private Target $target;
    /** When it began, in seconds on the clock of hrtime(). */
    private float $start;
    /** How the watched connection has ended; the latest one if there were several. */
    private ?Ending $ending = null;
    private ?int $signal = null;
    private bool $isQuit = false;
    private bool $isResized = false;
    /** Whether the lines are JSON, for programs. */
    private bool $isJson;
    /** @var array<string, int|string> the watched address or process, for programs */
    private array $about = [];
    /** @var string[] not shown yet */
    private array $lines = [];

    public function summary(): string
    {
        return 'connections live: silence, probes, time until the kernel gives up';
    }

    public function help(): string
    {
        return <<<'HELP'
            Usage: keepalive watch ADDRESS [--idle S] [--interval S] [--count N] [--json]
                   keepalive watch --pid PID [--json]

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

            With --json each line is an object for programs: time, event, text, and with a
            socket the keys of keepalive list --json. docs/running-processes.md explains
            them. An alert needs one of them: .event == "ended" and .how == "ETIMEDOUT".

            Exit status: how the connection ended: 0 orderly, 3 timed out (ETIMEDOUT),
            4 reset (ECONNRESET), 5 unreachable (EHOSTUNREACH, ENETUNREACH, ECONNREFUSED),
            1 another error. With --pid: 0 when the process has ended. 0 after q, 130 after
            Ctrl-C, 143 after SIGTERM; 1 if it could not begin, 2 for a wrong command line.

            HELP;
    }

    public function run(array $arguments): int
    {
        [$address, $options] = self::parse($arguments);
        Process::needs('watch');
        $this->isJson = $options['json'];
        $this->about = $address === null ? ['pid' => $options['pid']] : ['address' => $address];
        $this->screen = new Screen(!$this->isJson);
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

    /** @param array<string, int|bool> $options */
    private function open(?string $address, array $options): void
    {
        if ($address === null) {
            $this->target = new OtherProcess($options['pid']);
            $text = "watching {$this->target->name()}";
            $this->say('watching', $this->isJson ? $text : Screen::beginning($text, Screen::WIDTH - strlen($this->timed(''))));
            $this->show();
            return;
        }
        try {
            $settings = Settings::of($options['idle'], $options['interval'], $options['count']);
            $this->say('connecting', "connecting to $address");
            $this->show();
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
            $this->sayChanges($before, $now);
            if ($this->target->isOver()) {
                if ($this->target instanceof OtherProcess) {
                    $this->say('process ended', 'the process has ended');
                } elseif ($this->target instanceof OwnConnection && $this->ending === null) { // before the first sample
                    $this->ending = $this->target->end();
                    $this->say(Change::ENDED, $this->ending->after(null), ['how' => $this->ending->name]);
                }
                $this->show();
                return;
            }
            if ($this->isResized) {
                $this->isResized = false;
                $this->screen->measure();
            }
            $this->show($this->screen->isLive() ? $panel->lines($this->target->name(), $now) : []);
            $before = $now;
            $this->isQuit = strpos($this->keyboard->read(self::PERIOD), 'q') !== false;
        }
    }

    /**
     * @param Sample[]|null $before by inode; null at first
     * @param Sample[] $now by inode
     */
    private function sayChanges(?array $before, array $now): void
    {
        if ($before === null && $this->screen->isLive()) {
            return; // the panel shows it
        }
        if ($before === null && $now === [] && $this->target instanceof OtherProcess && !$this->target->isOver()) {
            $this->say('none', 'no TCP sockets');
        }
        $before = $before ?? [];
        foreach (array_diff_key($before, $now) as $inode => $last) {
            $this->ending = $this->target->ending($inode, $last);
            $colour = $this->ending->status === Application::OK ? Screen::BOLD : Screen::RED;
            $change = new Change(Change::ENDED, $this->ending->after($last));
            $this->sayOf($last, $change, $colour, ['how' => $this->ending->name]);
        }
        foreach ($now as $inode => $sample) {
            $changes = isset($before[$inode])
                ? Changes::between($before[$inode], $sample)
                : Changes::atFirst($sample);
            foreach ($changes as $change) {
                $this->sayOf($sample, $change);
            }
        }
    }

    /** @param array<string, mixed> $more for programs */
    private function sayOf(Sample $sample, Change $change, ?string $colour = null, array $more = []): void
    {
        $text = $change->text;
        if ($this->isJson) {
            $this->say($change->event, $text, $more + $sample->facts());
            return;
        }
        if ($this->target instanceof OtherProcess) {
            $text = "fd $sample->fd: $text";
        }
        $this->say($change->event, $colour === null ? $text : $this->screen->coloured($text, $colour));
    }

    /** @param array<string, mixed> $facts for programs */
    private function say(string $event, string $text, array $facts = []): void
    {
        if (!$this->isJson) {
            $this->lines[] = $this->timed($text);
            return;
        }
        $time = date_create()->format(\DATE_RFC3339_EXTENDED);
        $this->lines[] = Json::line(['time' => $time, 'event' => $event, 'text' => $text] + $facts + $this->about);
    }

    private function timed(string $line): string
    {
        return sprintf('%7.1f s  %s', hrtime(true) / 1e9 - $this->start, $line);
    }

    /** @param string[] $panel */
    private function show(array $panel = []): void
    {
        $this->screen->show($this->lines, $panel);
        $this->lines = [];
    }

    private function listenToSignals(): void
    {
        if (!function_exists('pcntl_async_signals')) {
            return; // then they end the program, as by default
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
     * @return array{string|null, array<string, int|bool>} address and options
     */
    private static function parse(array $arguments): array
    {
        $parsed = new Arguments('watch', self::KINDS, $arguments);
        $given = $parsed->options;
        $address = $parsed->words[0] ?? null;
        if (isset($parsed->words[1])) {
            throw new UsageError("watch takes one address; \"{$parsed->words[1]}\" is another.");
        }
        if (($address === null) === !isset($given['pid'])) {
            throw new UsageError('watch takes an address, or --pid; one of the two.');
        }
        if ($address !== null && preg_match(self::ADDRESS, $address) !== 1) {
            throw new UsageError("watch takes an address such as tcp://db.example:5432; \"$address\" was given.");
        }
        if ($address === null && count(array_diff_key($given, ['json' => true])) > 1) {
            throw new UsageError('with --pid nothing is set: leave out --idle, --interval and --count.');
        }
        return [$address, $given + self::DEFAULTS];
    }
}
