#!/usr/bin/env php
<?php

/**
 * Runs every code block of the documentation: tests/docs/run.php [FILE.md ...]
 *
 * Without arguments: README.md, CONTRIBUTING.md, and docs/ in whole. Each block runs as it is printed:
 *
 *     sh          by `sh -eu`, in a clean copy of the repository named libkeepalive
 *     c, cpp      compiled with warnings as errors, linked with -lkeepalive, and run
 *     php         by php, in a project beside that copy which has the package by Composer; loaded, so
 *                 that a block need not say so, and, if it has no `use` of its own, below those of the package
 *     json        a composer.json, or part of one: installed in a new project beside that copy
 *
 * The copies, the home folder, and the network (loopback, a kernel's own) are made for the run; what
 * a block leaves running ends with it. A comment before a block sets the scene:
 *
 *     <!-- docs: with tcp db.example:5432 -->   an echo server answers to this name and port
 *     <!-- docs: with tls db.example:5432 -->   the same with TLS; its certificate is trusted
 *     <!-- docs: in project -->                 sh: runs in the project instead of the copy
 *     <!-- docs: in copy -->                    php: runs in the copy instead of the project
 *     <!-- docs: installed -->                  the dynamic loader finds libkeepalive.so.1 by its name
 *     <!-- docs: continues -->                  php: goes on where the block before has ended
 *     <!-- docs: file NAME -->                  kept in the project; a later sh block has to use it
 *     <!-- docs: output -->                     what the block before has printed; numbers may differ
 *     <!-- docs: dry run -->                    sh: calls of make, which are run with --dry-run
 *     <!-- docs: tested by FILE -->             FILE of this repository runs it, and names the document
 *
 * Several are separated by semicolons. A block that nothing of this fits, and one that is indented
 * instead of fenced, is a failure. Links are the matter of tests/docs/links.php. The last line of the output
 * is "N passed, N failed".
 */

declare(strict_types=1);

use Keepalive\Tests\Support\Process;

const ROOT = __DIR__ . '/../..';

require ROOT . '/php/tests/Support/Process.php';

final class Block
{
    public string $document;
    public int $line;
    public string $language;
    public string $text;

    /** @var array<string, string> argument by directive */
    public array $scene = [];

    /** "README.md:12" */
    public function place(): string
    {
        return "$this->document:$this->line";
    }
}

/** Finds the blocks of a document, and what is wrong with them as text. */
final class Document
{
    private const DIRECTIVES = 'with tcp|with tls|in project|in copy|installed|file|output|dry run|continues|tested by';

    /** @var Block[] */
    public array $blocks = [];

    /** @var string[] */
    public array $mistakes = [];

    public function __construct(string $name)
    {
        $block = null;
        $scene = [];
        $before = ''; // the line before, except empty ones inside an indented block
        $inList = false;
        $indent = ''; // of a fence inside a list
        if (!is_file(ROOT . "/$name")) {
            $this->mistakes[] = "there is no $name";
            return;
        }
        foreach (file(ROOT . "/$name", FILE_IGNORE_NEW_LINES) ?: [] as $number => $line) {
            $place = "$name:" . ($number + 1);
            if ($block !== null) {
                if ($line === "$indent```") {
                    $this->blocks[] = $block;
                    $block = null;
                } else {
                    $block->text .= preg_replace("/^$indent/", '', $line) . "\n";
                }
            } elseif (preg_match('/^(\s*)```(\S*)/', $line, $fence) === 1) {
                $block = new Block();
                $block->document = $name;
                $block->line = $number + 1;
                $indent = $fence[1];
                $block->language = $fence[2];
                $block->text = '';
                $block->scene = $scene;
                $scene = [];
            } elseif (preg_match('/^\s*<!-- docs: (.*) -->$/', $line, $comment) === 1) {
                foreach (explode(';', $comment[1]) as $directive) {
                    if (preg_match('/^(' . self::DIRECTIVES . ')(?: (\S+))?$/', trim($directive), $part) === 1) {
                        $scene[$part[1]] = $part[2] ?? '';
                    } else {
                        $this->mistakes[] = "$place: there is no '" . trim($directive) . "'; tests/docs/run.php says what there is";
                    }
                }
            } elseif ($line !== '' && $scene !== []) {
                $this->mistakes[] = "$place: the comment before is followed by no block";
                $scene = [];
            } elseif (preg_match('/^(    |\t)\S/', $line) === 1 && $before === '' && !$inList) {
                $this->mistakes[] = "$place: an indented block; fence it, with its language, so that it is run";
            }
            if (preg_match('/^\s*([*-]|\d+\.) /', $line) === 1) {
                $inList = true;
            } elseif (preg_match('/^\S/', $line) === 1) {
                $inList = false;
            }
            $before = $line;
        }
        if ($block !== null) {
            $this->mistakes[] = "{$block->place()}: the block does not end";
        }
    }
}

/** The folders, names and servers that blocks find. */
final class World
{
    public string $copy;
    public string $project;
    private string $folder;

    public function __construct(string $folder)
    {
        $this->folder = $folder;
        $this->copy = "$folder/libkeepalive";
        $this->project = "$folder/project";
        foreach (['home', 'project', 'servers'] as $name) {
            mkdir("$folder/$name");
        }
    }

    /** Loopback of its own, and the names of the blocks for 127.0.0.1. */
    public function connect(Block ...$blocks): void
    {
        $names = 'localhost';
        foreach ($blocks as $block) {
            foreach (array_intersect_key($block->scene, ['with tcp' => 1, 'with tls' => 1]) as $address) {
                $names .= ' ' . explode(':', $address)[0];
            }
        }
        file_put_contents("$this->folder/hosts", "127.0.0.1 $names\n::1 localhost\n");
        $this->mustRun("ip link set lo up && mount --bind '$this->folder/hosts' /etc/hosts", $this->folder);
    }

    public function build(): void
    {
        $this->mustRun('make -s build && ln -s libkeepalive.so target/release/libkeepalive.so.1', $this->copy);
        $this->install('{"require": {"libkeepalive/keepalive": "@dev"},'
            . ' "repositories": [{"type": "path", "url": "../libkeepalive"}]}');
    }

    /** A fresh project with this composer.json. */
    public function install(string $composerJson): string
    {
        foreach (['composer.json', 'composer.lock', 'vendor'] as $name) {
            $this->run('rm -rf ' . $name, $this->project);
        }
        file_put_contents("$this->project/composer.json", $composerJson);
        return $this->mustRun('composer install --no-interaction --no-progress 2>&1', $this->project);
    }

    /** Starts a server of the examples, and returns once it listens. */
    public function serve(bool $tls, string $address): Process
    {
        [$name, $port] = explode(':', $address);
        $file = $tls ? 'ssl/stream-server.php' : 'tcp/stream-server.php';
        $command = array_merge(
            [PHP_BINARY, "$this->copy/php/examples/$file"],
            $tls ? [$this->certificate($name)] : [],
            ["127.0.0.1:$port"]
        );
        $server = new Process($command);
        $server->waitFor('/^listening/m');
        return $server;
    }

    /** @return array{int, string} status and output */
    public function run(string $command, string $folder): array
    {
        $environment = array_filter([
            'HOME' => "$this->folder/home",
            'COMPOSER_ALLOW_SUPERUSER' => '1',
            'COMPOSER_DISABLE_NETWORK' => '1',
            'CARGO_NET_OFFLINE' => 'true',
            // Rust's own folders are found by HOME otherwise.
            'CARGO_HOME' => getenv('CARGO_HOME') ?: getenv('HOME') . '/.cargo',
            'RUSTUP_HOME' => getenv('RUSTUP_HOME') ?: getenv('HOME') . '/.rustup',
            'SSL_CERT_FILE' => is_file("$this->folder/servers/all.pem") ? "$this->folder/servers/all.pem" : null,
        ]) + ['MAKEFLAGS' => null, 'MAKELEVEL' => null, 'MFLAGS' => null];
        $script = "$this->folder/block.sh";
        file_put_contents($script, $command);
        $process = new Process(['sh', '-c', 'exec timeout 600 sh -eu "$0" 2>&1', $script], $environment, $folder);
        $process->closeInput();
        return [$process->status(700.0), $process->output()];
    }

    private function mustRun(string $command, string $folder): string
    {
        [$status, $output] = $this->run($command, $folder);
        if ($status !== 0) {
            throw new RuntimeException("Preparing: $command gave $status:\n$output");
        }
        return $output;
    }

    /** From then on OpenSSL, and so PHP, trusts it. */
    private function certificate(string $name): string
    {
        $file = "$this->folder/servers/$name.pem";
        if (!is_file($file)) {
            $this->mustRun(
                'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2'
                . " -subj /CN=$name -addext subjectAltName=DNS:$name -keyout $file -out $file"
                . " && openssl x509 -in $file >>'$this->folder/servers/all.pem'",
                $this->folder
            );
        }
        return $file;
    }
}

/** Runs blocks, one after the other, and counts. */
final class Runner
{
    /** Users paste a block into a file that has these already. */
    private const IMPORTS = 'use Keepalive\Keepalive; use Keepalive\Settings; use Keepalive\Exception\SocketException;';

    public int $passed = 0;
    public int $failed = 0;
    private World $world;

    /** Of the block before. */
    private string $output = '';

    /** Of the last PHP blocks: the program that they are, and its servers. */
    private string $program = '';

    /** @var array<string, string> */
    private array $servers = [];

    /** @var array<string, Block> kept files that no block has used yet, by name */
    private array $unused = [];

    public function __construct(World $world)
    {
        $this->world = $world;
    }

    public function fail(string $message): void
    {
        $this->failed++;
        echo "FAILED $message\n";
    }

    public function document(Document $document): void
    {
        array_map([$this, 'fail'], $document->mistakes);
        foreach ($document->blocks as $block) {
            $servers = [];
            try {
                if (!isset($block->scene['continues'])) {
                    $this->servers = array_intersect_key($block->scene, ['with tcp' => 1, 'with tls' => 1]);
                }
                foreach ($this->servers as $how => $address) {
                    $servers[] = $this->world->serve($how === 'with tls', $address);
                }
                $complaint = $this->run($block);
            } catch (RuntimeException $exception) {
                $complaint = $exception->getMessage();
            }
            foreach ($servers as $server) {
                $server->signal(SIGTERM);
                $server->status();
            }
            if ($complaint === null) {
                $this->passed++;
                echo "passed {$block->place()} ($block->language)\n";
            } else {
                $this->fail("{$block->place()} ($block->language): $complaint");
            }
        }
        foreach ($this->unused as $name => $block) {
            $this->fail("{$block->place()}: no block uses the file $name");
        }
        $this->unused = [];
    }

    /** What went wrong, or null. */
    private function run(Block $block): ?string
    {
        $scene = $block->scene;
        if (isset($scene['tested by'])) {
            $test = @file_get_contents($this->world->copy . '/' . $scene['tested by']);
            if ($test === false) {
                return "there is no {$scene['tested by']}";
            }
            return strpos($test, basename($block->document)) !== false ? null
                : "{$scene['tested by']} does not name " . basename($block->document);
        }
        if (isset($scene['output'])) {
            return $this->sameButForNumbers($block->text, $this->output);
        }
        if (isset($scene['file'])) {
            file_put_contents("{$this->world->project}/{$scene['file']}", $block->text);
            $this->unused[$scene['file']] = $block;
            return null;
        }
        switch ($block->language) {
            case 'sh':
                return $this->shell($block);
            case 'php':
                $imports = preg_match('/^use /m', $block->text) === 1 ? '' : self::IMPORTS;
                $code = strncmp($block->text, '<?php', 5) === 0 ? $block->text : "<?php $imports\n$block->text";
                $this->program = isset($scene['continues']) ? $this->program . $block->text : $code;
                file_put_contents("{$this->world->project}/block.php", $this->program);
                return $this->command(
                    (isset($scene['installed']) ? "export LD_LIBRARY_PATH={$this->world->copy}/target/release\n" : '')
                    . "php -d display_errors=stderr -d error_reporting=-1"
                    . " -d auto_prepend_file={$this->world->project}/vendor/autoload.php {$this->world->project}/block.php",
                    isset($scene['in copy']) ? $this->world->copy : $this->world->project
                );
            case 'c':
                return $this->compile($block, 'cc -std=c99 -D_GNU_SOURCE', 'block.c');
            case 'cpp':
                return $this->compile($block, 'c++ -std=c++11', 'block.cc');
            case 'json':
                $given = json_decode($block->text, true);
                if (!is_array($given)) {
                    return 'this is not JSON: ' . json_last_error_msg();
                }
                $this->output = $this->world->install($block->text);
                return is_file("{$this->world->project}/vendor/libkeepalive/keepalive/php/src/Keepalive.php") ? null
                    : "the package is not installed afterwards: $this->output";
        }
        return "nothing runs '$block->language' blocks; tests/docs/run.php says what there is";
    }

    private function shell(Block $block): ?string
    {
        foreach (array_keys($this->unused) as $name) {
            if (strpos($block->text, $name) !== false) {
                unset($this->unused[$name]);
            }
        }
        $text = $block->text;
        if (isset($block->scene['dry run'])) {
            if (preg_match('/^(?!make )/m', rtrim($text)) === 1) {
                return 'only calls of make can be tried without being run';
            }
            $text = (string) preg_replace('/^make /m', 'make --dry-run ', $text);
        }
        return $this->command($text, isset($block->scene['in project']) ? $this->world->project : $this->world->copy);
    }

    private function compile(Block $block, string $compiler, string $file): ?string
    {
        file_put_contents("{$this->world->project}/$file", $block->text);
        $copy = $this->world->copy;
        return $this->command(
            "$compiler -Wall -Wextra -Wpedantic -Werror -I'$copy/include' $file"
            . " -L'$copy/target/release' -lkeepalive -Wl,-rpath,'$copy/target/release' -o block\n./block",
            $this->world->project
        );
    }

    private function command(string $command, string $folder): ?string
    {
        [$status, $this->output] = $this->world->run($command, $folder);
        if (preg_match('/^(PHP )?(Warning|Notice|Deprecated): /m', $this->output) === 1) {
            return "PHP complains:\n$this->output";
        }
        return $status === 0 ? null : "it gave $status:\n" . preg_replace('/^/m', '    ', rtrim($this->output));
    }

    private function sameButForNumbers(string $expected, string $actual): ?string
    {
        $without = static function (string $text): string {
            return (string) preg_replace(['/\d+/', '/\s+/'], ['0', ' '], trim($text));
        };
        return strpos($without($actual), $without($expected)) !== false ? null
            : "the block before has printed something else:\n$actual";
    }
}

/** In namespaces of its own, so that names, ports and processes are this run's only. */
function isolated(string $folder, string ...$documents): int
{
    $user = posix_geteuid() === 0 ? [] : ['--user', '--map-current-user', '--keep-caps'];
    $command = array_merge(
        ['unshare'],
        $user,
        ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc', PHP_BINARY, __FILE__, '--inside', $folder],
        $documents
    );
    putenv('PATH=' . getenv('PATH') . ':/usr/sbin:/sbin');
    passthru(implode(' ', array_map('escapeshellarg', $command)) . ' </dev/null', $status);
    return $status;
}

function inside(string $folder, string ...$names): int
{
    $documents = array_map(static function (string $name): Document {
        return new Document($name);
    }, $names);
    $world = new World($folder);
    $world->connect(...array_merge(...array_column($documents, 'blocks')));
    $world->build();
    $runner = new Runner($world);
    array_map([$runner, 'document'], $documents);
    echo "$runner->passed passed, $runner->failed failed\n";
    return $runner->failed === 0 ? 0 : 1;
}

$arguments = array_slice($argv, 1);
if (($arguments[0] ?? '') === '--inside') {
    exit(inside(...array_slice($arguments, 1)));
}
chdir(ROOT);
$folder = sys_get_temp_dir() . '/keepalive-docs-' . bin2hex(random_bytes(6));
mkdir("$folder/libkeepalive", 0700, true);
// What git knows, or would add: no builds.
passthru("git ls-files -z --cached --others --exclude-standard | tar --null -T - --ignore-failed-read -cf - 2>/dev/null"
    . " | tar -xf - -C '$folder/libkeepalive'", $status);
$status = $status === 0 ? isolated($folder, ...($arguments ?: array_merge(['README.md', 'CONTRIBUTING.md'], glob('docs/*.md') ?: []))) : $status;
passthru("rm -rf '$folder'");
exit($status);
