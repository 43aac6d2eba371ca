#!/usr/bin/env php
<?php

/**
 * Draws watch.svg, what `keepalive watch --pid` shows on a terminal: docs/pictures/draw-watch.php
 *
 * A worker has three connections to another host, of lab/hosts, which is cut off. tmux is
 * the terminal. It shows one moment of a real run, so each run draws another picture.
 */

declare(strict_types=1);

use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/../../php/autoload.php';

const HOSTS = __DIR__ . '/../../lab/hosts';
const KEEPALIVE = __DIR__ . '/../../php/bin/keepalive';
const COLUMNS = 84;
const ROWS = 22;
const ADDRESS = 'tcp://192.0.2.2:3306';

/** Seconds. */
const CUT_AFTER = 3;
const SHOWN_AFTER = 8;

/** Runs on the near host: the worker, the cut, and what the terminal has then. */
function play(): string
{
    $server = '$l = stream_socket_server("' . ADDRESS . '"); while (true) { $all[] = stream_socket_accept($l, -1); }';
    proc_open([HOSTS, 'far', PHP_BINARY, '-r', $server], [], $pipes);
    do {
        usleep(100000);
        $first = @stream_socket_client(ADDRESS);
    } while ($first === false);
    $second = stream_socket_client(ADDRESS);
    $third = stream_socket_client(ADDRESS);
    Keepalive::apply($first, Settings::detectWithin(30));
    Keepalive::enable($second, 60, 10, 6);

    $tmux = ['tmux', '-L', 'keepalive-picture'];
    $watch = implode(' ', array_map('escapeshellarg', [PHP_BINARY, KEEPALIVE, 'watch', '--pid', (string) getmypid()]));
    call(...$tmux, ...['new-session', '-d', '-x', (string) COLUMNS, '-y', (string) ROWS, $watch]);
    sleep(CUT_AFTER);
    call(HOSTS, 'cut');
    fwrite($second, 'a query');
    sleep(SHOWN_AFTER);
    $screen = call(...$tmux, ...['capture-pane', '-p', '-e']);
    call(...$tmux, ...['kill-server']);
    return $screen;
}

function call(string ...$command): string
{
    exec(implode(' ', array_map('escapeshellarg', $command)) . ' 2>&1', $output, $status);
    if ($status !== 0) {
        throw new RuntimeException(implode(' ', $command) . ' failed: ' . implode("\n", $output));
    }
    return implode("\n", $output);
}

/** A terminal is dark on light pages, too. */
function svg(string $screen): string
{
    $lines = explode("\n", rtrim($screen));
    $classes = ['1' => 'bold', '2' => 'dim', '31' => 'red', '32' => 'green', '33' => 'yellow', '36' => 'cyan'];
    $text = '';
    foreach ($lines as $row => $line) {
        $class = '';
        $text .= sprintf('<text x="16" y="%d" xml:space="preserve">', 34 + 19 * $row);
        foreach (preg_split('/(\e\[[\d;]*m)/', $line, -1, PREG_SPLIT_DELIM_CAPTURE) as $part) {
            if (preg_match('/^\e\[([\d;]*)m$/', $part, $codes) === 1) {
                $named = array_intersect_key($classes, array_flip(explode(';', $codes[1])));
                $class = implode(' ', $named);
            } elseif ($part !== '') {
                $text .= sprintf('<tspan%s>%s</tspan>', $class === '' ? '' : " class=\"$class\"", htmlspecialchars($part, ENT_NOQUOTES));
            }
        }
        $text .= "</text>\n";
    }
    $width = 32 + (int) ceil(COLUMNS * 8.43);
    $height = 40 + 19 * count($lines);
    return <<<SVG
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $width $height" width="$width" height="$height" role="img">
        <!-- Drawn by docs/pictures/draw-watch.php; do not edit. -->
        <title>keepalive watch</title>
        <desc>A terminal: keepalive watch shows three connections of a process, a few seconds after their host was lost.</desc>
        <style>
        rect { fill: #0d1117; }
        text { font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #e6edf3; }
        .bold { font-weight: 700; } .dim { fill: #9198a1; } .red { fill: #ff7b72; } .green { fill: #56d364; }
        .yellow { fill: #e3b341; } .cyan { fill: #76e3ea; }
        </style>
        <rect width="$width" height="$height" rx="8"/>
        $text</svg>

        SVG;
}

if (($argv[1] ?? '') === 'play') {
    echo play();
} else {
    // The picture names the process: what it plays is a worker.
    $folder = sys_get_temp_dir() . '/keepalive-picture-' . getmypid();
    mkdir($folder);
    symlink(__FILE__, "$folder/worker.php");
    chdir($folder);
    file_put_contents(__DIR__ . '/watch.svg', svg(call(HOSTS, 'run', 'php', 'worker.php', 'play')));
    unlink('worker.php');
    rmdir($folder);
}
