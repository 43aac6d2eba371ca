#!/usr/bin/env php
<?php

/**
 * Draws the pictures beside it from what happened: docs/pictures/draw.php [--check] [FOLDER]
 *
 * timeline.svg   what went over the wire, and when programs were told, in cases of tests/deadpeer;
 *                FOLDER has them from a run before, else they are played, in about 20 seconds
 * ka_set.svg     the system calls of ka_set(), as strace sees tests/c/traced.c make them
 *
 * --check compares instead of writing. Times differ a little from run to run, and do not count.
 */

declare(strict_types=1);

const ROOT = __DIR__ . '/../..';

require __DIR__ . '/Picture.php';

/** When a program is told that its peer is gone, by what it has set. */
final class Timeline
{
    /** Label, what happens, the case, and how it goes on where nothing is told. */
    private const LANES = [
        ['keepalive 1 s, 1 s, 3', 'peer alive, nothing sent', 'alive-1-1-3', 'asked and answered, forever'],
        ['no keepalive', 'peer gone, nothing sent', 'idle-without', 'no packet, no error, ever'],
        ['keepalive 1 s, 1 s, 3', 'peer gone, nothing sent', 'idle-1-1-3', ''],
        ['keepalive 1 s, 1 s, 3', 'peer gone, data sent', 'data-keepalive-alone', 'no probes; about 15 minutes'],
        ['within 6 s', 'peer gone, nothing sent', 'idle-within-6', ''],
        ['within 6 s', 'peer gone, data sent late', 'within-6-2.88', ''],
    ];
    private const LEFT = 230;
    private const SECOND = 72;
    private const SECONDS = 8;
    private const TOP = 96;
    private const LANE = 66;

    public static function draw(string $folder): string
    {
        $bottom = self::TOP + count(self::LANES) * self::LANE;
        $picture = new Picture(
            'docs/pictures/draw.php',
            'When is a program told that its peer is gone?',
            'Six timelines of a connection, captured: with keepalive and a live peer, without keepalive, with keepalive and a '
                . 'peer that is gone, the same with data in flight, and twice with settings for six seconds: idle, and written '
                . 'to just before keepalive would have ended it.',
            890,
            $bottom + 60
        );
        for ($second = 0; $second <= self::SECONDS; $second++) {
            $picture->text(self::x($second), 74, "$second s", 'small', 'middle');
            $picture->line(self::x($second), 82, self::x($second), $bottom, 'grid');
        }
        $picture->text(20, 74, "since the peer's last data", 'small');
        foreach (self::LANES as $number => [$label, $what, $case, $goesOn]) {
            $y = self::TOP + $number * self::LANE + 22;
            $picture->text(20, $y, $label, 'label');
            $picture->text(20, $y + 18, $what, 'small');
            $result = json_decode((string) @file_get_contents("$folder/$case.json"), true);
            if (!is_array($result)) {
                throw new RuntimeException("$folder has no result of $case: tests/deadpeer/run.php $case leaves one");
            }
            self::lane($picture, $y, $result, $goesOn);
            if ($case === 'idle-1-1-3') {
                self::brackets($picture, $y + 14, array_merge([0.0], $result['probes'], [$result['seen']]));
            }
        }
        self::legend($picture, $bottom + 32);
        return $picture->svg();
    }

    /** @param array<string, mixed> $result */
    private static function lane(Picture $picture, float $y, array $result, string $goesOn): void
    {
        $inTime = static function (float $time): bool {
            return $time < self::SECONDS;
        };
        $end = self::x($result['seen'] ?? self::SECONDS + 0.2);
        $picture->line(self::LEFT, $y, $end, $y, 'life');
        foreach (array_filter($result['answers'], $inTime) as $time) {
            $picture->path(self::x($time), $y + 20, 'l -5 8 m 5 -8 l 5 8 m -5 -8 v 14', 'answer');
        }
        foreach (array_filter($result['probes'], $inTime) as $time) {
            $picture->circle(self::x($time), $y, 'probe');
        }
        foreach (array_filter($result['data'], $inTime) as $time) {
            $picture->path(self::x($time) - 5, $y - 5, 'h 10 v 10 h -10 z', 'data');
        }
        if ($result['seen'] === null) {
            $picture->path($end, $y, 'l -8 -5 m 8 5 l -8 5', 'life');
            $picture->text(self::x(self::SECONDS) - 8, $y - 12, $goesOn, '', 'end');
        } else {
            self::told($picture, $end, $y);
            $picture->text($end + 16, $y + 5, sprintf('ETIMEDOUT after %.2f s', $result['seen']));
        }
    }

    /** @param float[] $times */
    private static function brackets(Picture $picture, float $y, array $times): void
    {
        for ($i = 1; isset($times[$i]); $i++) {
            [$from, $to] = [self::x($times[$i - 1]) + 2, self::x($times[$i]) - 2];
            $picture->path($from, $y, sprintf('v 5 H %.1f v -5', $to), 'bracket');
            $picture->text(($from + $to) / 2, $y + 18, $i === 1 ? 'idle' : 'interval', 'small', 'middle');
        }
    }

    private static function legend(Picture $picture, float $y): void
    {
        $picture->circle(240, $y - 4, 'probe');
        $picture->text(254, $y, 'probe');
        $picture->path(330, $y - 11, 'l -5 8 m 5 -8 l 5 8 m -5 -8 v 14', 'answer');
        $picture->text(344, $y, 'answer');
        $picture->path(425, $y - 9, 'h 10 v 10 h -10 z', 'data');
        $picture->text(444, $y, 'data, sent again and again');
        self::told($picture, 660, $y - 4);
        $picture->text(676, $y, 'the program is told');
    }

    private static function told(Picture $picture, float $x, float $y): void
    {
        $picture->path($x - 7, $y - 7, 'l 14 14 m 0 -14 l -14 14', 'told');
    }

    private static function x(float $seconds): float
    {
        return self::LEFT + $seconds * self::SECOND;
    }
}

/** The system calls of ka_set(), on a TCP socket, on a UDP socket, and with a value out of range. */
final class KaSet
{
    /** Mark in the trace, the call, and on what. */
    private const ROWS = [
        ['set', 'ka_set(tcp, 60, 10, 6)', 'a TCP socket'],
        ['set_udp', 'ka_set(udp, 60, 10, 6)', 'a UDP socket'],
        ['refused_cnt', 'ka_set(tcp, 60, 10, 128)', 'a value out of range'],
    ];
    private const STEPS = [
        ['the values', 'all three are checked', 'before any system call'],
        ['TCP_KEEPINTVL', 'what is not TCP is', 'refused by the kernel'],
        ['TCP_KEEPCNT', 'like the interval, does', 'not restart the timer'],
        ['TCP_KEEPIDLE', 'restarts the timer,', 'if keepalive is on'],
        ['SO_KEEPALIVE', 'starts the timer, with', 'everything in place'],
    ];
    private const LEFT = 30;
    private const STEP = 172;
    private const BOX = 148;
    private const TOP = 128;
    private const ROW = 96;

    public static function draw(): string
    {
        [$calls, $said] = self::trace();
        $picture = new Picture(
            'docs/pictures/draw.php',
            'What ka_set(fd, idle, intvl, cnt) does',
            'The system calls of ka_set(), traced: four in order on a TCP socket; one, refused, on a UDP socket; '
                . 'none with a value out of range.',
            890,
            self::TOP + count(self::ROWS) * self::ROW
        );
        foreach (self::STEPS as $column => [$option, $why, $on]) {
            $x = self::LEFT + $column * self::STEP;
            $picture->text($x, 62, $option, $column === 0 ? 'label' : 'code');
            $picture->text($x, 80, $why, 'small');
            $picture->text($x, 96, $on, 'small');
        }
        foreach (self::ROWS as $row => [$mark, $call, $what]) {
            $y = self::TOP + $row * self::ROW;
            $outcome = $said[$mark] === '0' ? 'returns 0: keepalive is on, with these values'
                : 'returns -' . self::name((int) $said[$mark]) . ': nothing has changed';
            $picture->text(self::LEFT, $y + 8, $call, 'code');
            $picture->text(self::LEFT + 230, $y + 8, "$what; $outcome");
            self::boxes($picture, $y + 20, $calls[$mark]);
        }
        if ($said['keepalive_of_udp'] !== '0') {
            throw new RuntimeException('the UDP socket has changed');
        }
        return $picture->svg();
    }

    /** @param array<int, array{string, string, string}> $calls option, value, result */
    private static function boxes(Picture $picture, float $y, array $calls): void
    {
        $ok = $calls !== [];
        self::box($picture, 0, $y, $ok ? 'in range' : '128: too many', $ok);
        for ($column = 1; isset(self::STEPS[$column]); $column++) {
            [$option, $value, $result] = array_shift($calls) ?? ['', '', ''];
            if ($option === '') {
                $picture->box(self::LEFT + $column * self::STEP, $y, self::BOX, 40, 'never');
                $picture->text(self::LEFT + $column * self::STEP + 34, $y + 25, 'not called', 'small');
                continue;
            }
            if ($option !== self::STEPS[$column][0]) {
                throw new RuntimeException("$option where " . self::STEPS[$column][0] . ' was expected');
            }
            $x = self::LEFT + $column * self::STEP;
            $picture->path($x - 18, $y + 20, 'h 14 l -6 -4 m 6 4 l -6 4', 'life');
            self::box($picture, $column, $y, $result === '0' ? "$value: taken" : $result, $result === '0');
        }
    }

    private static function box(Picture $picture, int $column, float $y, string $text, bool $ok): void
    {
        $x = self::LEFT + $column * self::STEP;
        $picture->box($x, $y, self::BOX, 40, $ok ? 'yes' : 'no');
        $mark = $ok ? 'l 5 5 l 9 -11' : 'm 1 -6 l 11 11 m 0 -11 l -11 11';
        $picture->path($x + 10, $y + 21, $mark, $ok ? 'yes' : 'no');
        $picture->text($x + 34, $y + 25, $text);
    }

    /** @return array{array<string, array<int, array{string, string, string}>>, array<string, string>} calls and results by mark */
    private static function trace(): array
    {
        $folder = sys_get_temp_dir() . '/keepalive-pictures-' . bin2hex(random_bytes(6));
        mkdir($folder, 0700);
        try {
            copy(ROOT . '/target/release/libkeepalive.so', "$folder/libkeepalive.so.1");
            $compile = ['gcc', '-std=c11', '-I' . ROOT . '/include', '-o', "$folder/traced", ROOT . '/tests/c/traced.c'];
            run(...$compile, ...["$folder/libkeepalive.so.1", "-Wl,-rpath,$folder"]);
            $said = run('strace', '-o', "$folder/trace", "$folder/traced", 'calls');
            $trace = file("$folder/trace");
        } finally {
            array_map('unlink', glob("$folder/*") ?: []);
            rmdir($folder);
        }
        $calls = [];
        $mark = null;
        foreach ($trace as $line) {
            if (preg_match('/^write\(-1, "(?:begin (\w+)|end)"/', $line, $found) === 1) {
                $mark = $found[1] ?? null;
                $calls += $mark === null ? [] : [$mark => []];
            } elseif ($mark !== null && preg_match('/^setsockopt\(\d+, \w+, (\w+), \[(\d+)\], 4\) += (?:-1 )?(\w+)/', $line, $found) === 1) {
                $calls[$mark][] = array_slice($found, 1);
            } elseif ($mark !== null && in_array($mark, array_column(self::ROWS, 0), true)) {
                throw new RuntimeException("a system call that the picture does not know: $line");
            }
        }
        return [$calls, array_column(array_map(static function (string $line): array {
            return explode(' ', $line);
        }, explode("\n", trim($said))), 1, 0)];
    }

    private static function name(int $returned): string
    {
        return [-SOCKET_ENOPROTOOPT => 'ENOPROTOOPT', -SOCKET_EINVAL => 'EINVAL'][$returned] ?? (string) -$returned;
    }
}

/** What the command prints; its complaints go where ours do. */
function run(string ...$command): string
{
    $process = proc_open($command, [['file', '/dev/null', 'r'], ['pipe', 'w']], $pipes);
    $output = $process === false ? '' : (string) stream_get_contents($pipes[1]);
    if ($process === false || proc_close($process) !== 0) {
        throw new RuntimeException(implode(' ', $command) . " failed:\n$output");
    }
    return $output;
}

/** What stays from run to run: all but the numbers, and how often data was repeated before the program was told. */
function lasting(string $svg): string
{
    return (string) preg_replace(['/-?\d+(\.\d+)?/', '/(<path [^>]*class="data"\/>\n)\1+/'], ['0', '$1'], $svg);
}

$arguments = array_slice($argv, 1);
$check = in_array('--check', $arguments, true);
$folder = array_values(array_diff($arguments, ['--check']))[0] ?? null;
if ($folder === null) {
    $folder = ROOT . '/target/pictures';
    putenv("DEADPEER_OUTPUT=$folder");
    echo run(ROOT . '/tests/deadpeer/run.php', 'alive-1-1-3', 'idle-without', 'idle-1-1-3', 'data-keepalive-alone', 'idle-within-6', 'within-6-2.88');
}
$stale = 0;
foreach (['timeline.svg' => Timeline::draw($folder), 'ka_set.svg' => KaSet::draw()] as $file => $svg) {
    if (!$check) {
        file_put_contents(__DIR__ . "/$file", $svg);
    } elseif (lasting((string) @file_get_contents(__DIR__ . "/$file")) !== lasting($svg)) {
        $stale++;
        echo "FAILED docs/pictures/$file shows something else than what happens now; `make docs-pictures` renews it\n";
    }
}
if ($check) {
    echo 2 - $stale, " passed, $stale failed\n";
}
exit($stale === 0 ? 0 : 1);
