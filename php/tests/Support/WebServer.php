<?php

declare(strict_types=1);

namespace Keepalive\Tests\Support;

/**
 * PHP behind a web server: PHP-FPM, Apache with mod_php, or `php -S`, each with one worker, Debian's
 * own php.ini for it, and a configuration, port or socket of its own in a folder of its own.
 *
 * The package that the scripts use is a copy, readable by the user that the server runs as.
 */
final class WebServer
{
    public const FPM = 'PHP-FPM';
    public const APACHE = 'Apache';
    public const BUILT_IN = 'php -S';

    /** Debian's user for web servers; a server that root starts switches to this user. */
    public const USER = 'www-data';

    private string $kind;
    private string $folder;
    private string $address;

    private ?Process $process = null;

    /**
     * @param string $folder empty; it stays after stop()
     * @param array<string, string> $ini beside Debian's
     * @param bool $unprivileged start it as another user than the superuser
     * @param string $pool more lines for PHP-FPM's pool
     */
    public function __construct(string $kind, string $folder, array $ini, bool $unprivileged = false, string $pool = '')
    {
        $this->kind = $kind;
        $this->folder = $folder;
        $root = dirname(__DIR__, 3);
        foreach (['src', 'command-line'] as $part) {
            Folder::copy("$root/php/$part", "$folder/package/php/$part");
        }
        foreach (['autoload.php', 'constants.php', 'preload.php'] as $file) {
            copy("$root/php/$file", "$folder/package/php/$file");
        }
        mkdir("$folder/package/target/release", 0777, true);
        copy("$root/target/release/libkeepalive.so", "$folder/package/target/release/libkeepalive.so");
        mkdir("$folder/www");
        mkdir("$folder/ini");
        mkdir("$folder/run");
        touch("$folder/run/log");
        $lines = '';
        foreach ($ini as $name => $value) {
            $lines .= "$name=\"$value\"\n";
        }
        file_put_contents("$folder/ini/test.ini", "display_errors=1\nhtml_errors=0\n$lines");
        $superuser = posix_geteuid() === 0;
        $this->start($superuser && !$unprivileged, $pool, $superuser && $unprivileged);
    }

    /** The answer of the script, which runs after the package's autoloader. Errors are exceptions. */
    public function run(string $code): string
    {
        $script = $this->script($code);
        $name = basename($script);
        if ($this->kind !== self::FPM) {
            return (string) file_get_contents("http://$this->address/$name");
        }
        // Debian's stock client, of libfcgi-bin.
        $answer = Child::run(['cgi-fcgi', '-bind', '-connect', $this->address], [
            'REQUEST_METHOD' => 'GET',
            'SCRIPT_FILENAME' => $script,
            'SCRIPT_NAME' => "/$name",
        ])->cleanOutput();
        [, $body] = explode("\r\n\r\n", $answer, 2) + [1 => "no answer: $answer"];
        return $body;
    }

    /** The same by a faster client, for PHP-FPM only. */
    public function runAgain(string $code): string
    {
        return (new FastCgi($this->address))->get($this->script($code));
    }

    /**
     * The same request many times.
     *
     * @return string what all of them answered
     */
    public function runMany(string $code, int $times): string
    {
        $first = $this->run($code);
        for ($i = 1; $i < $times; $i++) {
            $answer = $this->runAgain($code);
            if ($answer !== $first) {
                throw new \RuntimeException("Request $i answered $answer, the first answered $first.");
            }
        }
        return $first;
    }

    /** What only this process, a worker, has in memory: KiB. */
    public static function memory(string $process): int
    {
        preg_match('/^RssAnon:\s+(\d+) kB$/m', (string) file_get_contents("/proc/$process/status"), $found);
        return (int) $found[1];
    }

    private function script(string $code): string
    {
        $script = "$this->folder/www/" . hash('crc32b', $code) . '.php';
        if (!is_file($script)) {
            $autoload = var_export("$this->folder/package/php/autoload.php", true);
            file_put_contents($script, "<?php require $autoload;\n$code");
        }
        return $script;
    }

    /** The errors of the server and of PHP in it. */
    public function log(): string
    {
        return (string) file_get_contents("$this->folder/run/log");
    }

    /** PHP-FPM only: reads its configuration, and the preload file, again. */
    public function survivesAReload(): bool
    {
        $before = substr_count($this->log(), 'ready to handle connections');
        $this->process->signal(SIGUSR2);
        $deadline = microtime(true) + Process::PATIENCE;
        while ($this->process->isRunning()) {
            if (substr_count($this->log(), 'ready to handle connections') > $before) {
                return true;
            }
            if (microtime(true) > $deadline) {
                throw new \RuntimeException("$this->kind does not reload. It said:\n" . $this->log());
            }
            usleep(20000);
        }
        return false;
    }

    public function stop(): void
    {
        if ($this->process !== null) {
            $this->process->signal(SIGTERM); // all of these servers then end their workers, too
            $this->process->status();
            $this->process = null;
        }
    }

    private function start(bool $asSuperuser, string $pool, bool $giveUpRights): void
    {
        $commands = [self::FPM => 'fpm', self::APACHE => 'apache', self::BUILT_IN => 'builtIn'];
        $command = $this->{$commands[$this->kind]}($asSuperuser, $pool);
        // In a process group of its own, because Apache ends its whole group. None of them outlives this process.
        $prefix = ['setsid', 'setpriv', '--pdeathsig=TERM'];
        if ($giveUpRights) {
            $user = posix_getpwnam(self::USER);
            chown("$this->folder/run", $user['uid']);
            chown("$this->folder/run/log", $user['uid']);
            array_push($prefix, "--reuid={$user['uid']}", "--regid={$user['gid']}", '--clear-groups');
        }
        $log = ['sh', '-c', 'exec "$@" >>"$0" 2>&1', "$this->folder/run/log"];
        $command = array_merge($log, $prefix, $command);
        Child::run(['chmod', '-R', 'a+rX', $this->folder]);
        // After the folders of this process; an empty name is PHP's default, Debian's own folder.
        $environment = ['PHP_INI_SCAN_DIR' => getenv('PHP_INI_SCAN_DIR') . ":$this->folder/ini"];
        $this->process = new Process($command, $environment, $this->folder);
        $this->process->closeInput();
        $deadline = microtime(true) + Process::PATIENCE;
        $target = $this->kind === self::FPM ? "unix://$this->address" : "tcp://$this->address";
        while (($connection = @stream_socket_client($target)) === false) {
            if (microtime(true) > $deadline || !$this->process->isRunning()) {
                throw new \RuntimeException("$this->kind does not answer. It said:\n" . $this->log());
            }
            usleep(20000);
        }
        fclose($connection);
    }

    /** @return string[] the command */
    private function fpm(bool $asSuperuser, string $pool): array
    {
        $this->address = "$this->folder/run/socket";
        $user = $asSuperuser ? 'user = ' . self::USER . "\ngroup = " . self::USER : '';
        file_put_contents("$this->folder/fpm.conf", <<<CONF
            [global]
            error_log = $this->folder/run/log
            daemonize = no
            [test]
            listen = $this->address
            pm = static
            pm.max_children = 1
            $user
            $pool
            CONF);
        $version = PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION;
        return ["/usr/sbin/php-fpm$version", '--fpm-config', "$this->folder/fpm.conf"];
    }

    /** @return string[] the command */
    private function apache(bool $asSuperuser): array
    {
        $port = FreePort::take();
        $this->address = "127.0.0.1:$port";
        $modules = '/usr/lib/apache2/modules';
        $version = PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION;
        $php = PHP_MAJOR_VERSION === 7 ? 'php7_module' : 'php_module';
        $user = $asSuperuser ? 'User ' . self::USER . "\nGroup " . self::USER : '';
        file_put_contents("$this->folder/apache.conf", <<<CONF
            ServerRoot "$this->folder"
            ServerName localhost
            Listen $this->address
            PidFile "$this->folder/run/pid"
            ErrorLog "$this->folder/run/log"
            DefaultRuntimeDir "$this->folder/run"
            LoadModule mpm_prefork_module $modules/mod_mpm_prefork.so
            LoadModule authz_core_module $modules/mod_authz_core.so
            LoadModule $php $modules/libphp$version.so
            StartServers 1
            MinSpareServers 1
            MaxSpareServers 1
            MaxRequestWorkers 1
            $user
            DocumentRoot "$this->folder/www"
            SetHandler application/x-httpd-php
            CONF);
        return ['/usr/sbin/apache2', '-D', 'FOREGROUND', '-f', "$this->folder/apache.conf"];
    }

    /** @return string[] the command */
    private function builtIn(): array
    {
        $this->address = '127.0.0.1:' . FreePort::take();
        return [PHP_BINARY, '-S', $this->address, '-t', "$this->folder/www"];
    }
}
