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
 * keepalive watch: what the kernel knows about TCP connections, live.
 *
 * @internal
 */
final class WatchCommand implements Command
{
    /** Microseconds between two samples; the kernel's own timers are hardly more exact. */
    private const PERIOD = 100000;

    /** A shell's exit status for a program that a signal ended: this plus the signal's number. */
    private const SIGNALLED = 128;

    private const KINDS = SettingsOptions::PROBES + ['pid' => Process::PIDS, 'json' => Arguments::FLAG];

    /** "tcp://host:port", roughly. Anything else is a usage error, before anything is opened. */
    private const ADDRESS = '~^((tcp|tls|ssl)://)?(\[[^]]+\]|[^][:/]+):\d+$~D';

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

            Shows live what the kernel knows about TCP connections: state, settings, when
            the peer was last heard, probes without an answer, the timer, and the time left
            until the kernel would give the connection up.

            On a terminal it is a live picture, below one line for each change; q ends it.
            Elsewhere, or if TERM is dumb, it prints the lines only, which begin with the
            seconds since the start. NO_COLOR is respected.

            With an ADDRESS, tcp://host:port or tls://host:port, it opens a connection of
            its own, sends nothing after the handshake, discards what comes, and ends
            when the connection does. A TLS server's certificate must be valid; for an
            authority of your own set SSL_CERT_FILE=FILE.

              --idle SECONDS       silence before the first probe; default 60
              --interval SECONDS   from one probe to the next; default 10
              --count PROBES       unanswered, until the kernel gives up; default 6

            With --pid it watches all TCP sockets of a process, in a container too, until
            the process ends. It changes nothing there. The kernel tells an error to that
            process only, so watch concludes from state and timer how a connection ended.
            It needs Linux 5.6, and root, or the process's user where users may debug
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
        $parsed = self::parse($arguments);
        $address = $parsed->words[0] ?? null;
        $pid = (int) $parsed->number('pid');
        Process::needs('watch');
        $this->isJson = $parsed->has('json');
        $this->about = $address === null ? ['pid' => $pid] : ['address' => $address];
        $this->screen = new Screen(!$this->isJson);
        $this->keyboard = new Keyboard();
        $this->start = hrtime(true) / 1e9;
        try {
            if ($address === null) {
                $this->lookAt($pid);
            } else {
                $this->connect($address, $parsed);
            }
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

    private function lookAt(int $pid): void
    {
        $this->target = new OtherProcess($pid);
        $text = "watching {$this->target->name()}";
        $this->say('watching', $this->isJson ? $text : Screen::beginning($text, Screen::WIDTH - strlen($this->timed(''))));
        $this->show();
    }

    private function connect(string $address, Arguments $parsed): void
    {
        try {
            $settings = Settings::of(
                $parsed->number('idle') ?? 60,
                $parsed->number('interval') ?? 10,
                $parsed->number('count') ?? 6
            );
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
        while ($this->signal === null && !$this->isQuit && connection_aborted() === 0) {
            $now = $this->target->samples($before ?? []);
            $this->sayChanges($before, $now);
            if ($this->target->isOver()) {
                if ($this->target instanceof OtherProcess) {
                    $this->say('process ended', 'the process has ended');
                } elseif ($this->target instanceof OwnConnection && $this->ending === null) { // it ended before a sample
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
        $time = (new \DateTime())->format(\DATE_RFC3339_EXTENDED);
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

    /** @param string[] $arguments */
    private static function parse(array $arguments): Arguments
    {
        $parsed = new Arguments('watch', self::KINDS, $arguments);
        $address = $parsed->words[0] ?? null;
        if (isset($parsed->words[1])) {
            throw new UsageError("watch takes one address; \"{$parsed->words[1]}\" is another.");
        }
        if (($address === null) === !$parsed->has('pid')) {
            throw new UsageError('watch takes either an address or --pid.');
        }
        if ($address !== null && preg_match(self::ADDRESS, $address) !== 1) {
            throw new UsageError("watch takes an address such as tcp://db.example:5432; \"$address\" was given.");
        }
        if ($address === null && $parsed->given(['idle', 'interval', 'count']) !== []) {
            throw new UsageError('watch --pid changes nothing: leave out --idle, --interval and --count.');
        }
        return $parsed;
    }
}
