<?php

declare(strict_types=1);

namespace Keepalive\Tests\Servers\Support;

use Keepalive\Tests\Support\FreePort;
use Keepalive\Tests\Support\Process;

/**
 * Real servers from Debian's packages, with data folders and ports of their own, started side by
 * side and ended with this object. Nothing of the system's services is used or touched.
 *
 * Clients use user "root" or "postgres" without password for the databases, guest/guest for
 * RabbitMQ, and authority() for TLS. GET /42 of the HTTPS server is "42", /soap answers that
 * to a SoapClient, and /wait never answers.
 */
final class Servers
{
    public const NAMES = ['mariadb', 'postgresql', 'redis', 'memcached', 'rabbitmq', 'rabbitmq-tls', 'https'];

    /** Proxies before Redis, which close a connection that is idle for three seconds. */
    public const PROXIES = ['haproxy', 'nginxstream'];

    /** The nodes of a Redis cluster, which form one by formRedisCluster(). */
    public const REDIS_CLUSTER = ['redisnode1', 'redisnode2', 'redisnode3'];

    /** The address that the servers listen at. */
    private string $host;
    /** @var string[] a command that runs the servers, "hosts far" for instance */
    private array $runner;
    private string $folder;
    /** @var array<string, int> */
    private array $ports = [];
    /** @var array<string, Process> by name */
    private array $processes = [];
    /** @var resource never answers */
    private $silent;

    /**
     * @param string[] $runner
     * @param string[] $names of NAMES
     */
    public function __construct(string $host, array $runner = [], array $names = self::NAMES)
    {
        $this->host = $host;
        $this->runner = $runner;
        $this->folder = sys_get_temp_dir() . '/keepalive-servers-' . getmypid() . '-' . bin2hex(random_bytes(3));
        mkdir($this->folder);
        chmod($this->folder, 0755); // PostgreSQL's user passes through
        $this->choosePorts();
        $this->makeCertificate();
        $this->silent = stream_socket_server("unix://$this->folder/silent");
        try {
            foreach ($names as $name) {
                // The two of RabbitMQ are one server.
                $server = explode('-', $name)[0];
                $this->processes[$server] = $this->processes[$server] ?? $this->start($server);
            }
            foreach ($names as $name) {
                $this->awaitReadiness($name);
            }
        } catch (\Throwable $failure) {
            $this->stop();
            throw $failure;
        }
    }

    public function __destruct()
    {
        $this->stop();
    }

    private function stop(): void
    {
        foreach ($this->processes as $process) {
            $process->signal(SIGQUIT); // only by this signal PostgreSQL cleans up and is quick
        }
        $deadline = microtime(true) + 5;
        foreach ($this->processes as $name => $process) {
            while ($process->isRunning()) {
                if (microtime(true) > $deadline || $name !== 'postgresql') {
                    posix_kill(-$process->pid, SIGKILL);
                }
                usleep(10000);
            }
        }
        exec('rm -r ' . escapeshellarg($this->folder));
    }

    public function host(): string
    {
        return $this->host;
    }

    public function port(string $name): int
    {
        return $this->ports[$name];
    }

    public function unixSocket(string $name): string
    {
        return "$this->folder/$name/socket";
    }

    public function formRedisCluster(): void
    {
        $nodes = implode(' ', array_map(function (string $name): string {
            return "$this->host:{$this->ports[$name]}";
        }, self::REDIS_CLUSTER));
        $this->run("redis-cli --cluster create $nodes --cluster-yes");
        // Each node has to have heard of it.
        $this->run("for node in $nodes; do
            for turn in \$(seq 100); do
                redis-cli -u redis://\$node cluster info | grep -q cluster_state:ok && break; sleep 0.05
            done
        done");
    }

    /** The certificate that signs the servers', for clients to check them with. */
    public function authority(): string
    {
        return "$this->folder/certificate";
    }

    private function choosePorts(): void
    {
        foreach (array_merge(self::NAMES, self::PROXIES, self::REDIS_CLUSTER, ['epmd', 'rabbitmq-nodes']) as $name) {
            $this->ports[$name] = FreePort::take();
        }
    }

    private function makeCertificate(): void
    {
        $this->run(
            'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost '
            . "-addext 'subjectAltName=DNS:localhost,IP:$this->host' -keyout key -out certificate"
        );
        chmod("$this->folder/key", 0644);
    }

    private function run(string $command): void
    {
        exec('cd ' . escapeshellarg($this->folder) . " && ($command) 2>&1", $output, $status);
        if ($status !== 0) {
            throw new \RuntimeException("$command failed:\n" . implode("\n", $output));
        }
    }

    /** In a process group of its own; the runner's death ends it. */
    private function start(string $name): Process
    {
        mkdir("$this->folder/$name");
        $user = ['setpriv', '--pdeathsig', 'KILL'];
        if ($name === 'postgresql' && posix_geteuid() === 0) { // it refuses to be root
            array_push($user, '--reuid=postgres', '--regid=postgres', '--clear-groups');
            chown("$this->folder/$name", 'postgres');
        }
        $log = ['sh', '-c', 'exec "$@" >>"$0" 2>&1', "$this->folder/$name.log"];
        $process = new Process(
            array_merge($log, $this->runner, ['setsid'], $user, ['sh', '-euc', $this->script($name)]),
            $this->environment(),
            "$this->folder/$name"
        );
        $process->closeInput();
        return $process;
    }

    /** Run by sh in the server's own folder, where it ends as the server. */
    private function script(string $name): string
    {
        $port = $this->ports[$name];
        switch ($name) {
            case 'mariadb':
                $user = posix_geteuid() === 0 ? '--user=root' : '';
                return "mariadb-install-db --no-defaults $user --datadir=\$PWD/data --skip-test-db --auth-root-authentication-method=normal
                    exec mariadbd --no-defaults $user --datadir=\$PWD/data --socket=\$PWD/socket --port=$port \
                        --bind-address=$this->host --skip-grant-tables --innodb-flush-log-at-trx-commit=0";
            case 'postgresql':
                return "PATH=\$PATH:\$(echo /usr/lib/postgresql/*/bin | tr ' ' :)
                    initdb --no-sync --auth trust --username postgres --pgdata data
                    echo 'host all all 0.0.0.0/0 trust' >>data/pg_hba.conf
                    exec postgres -D data -p $port -k \$PWD -c listen_addresses=$this->host -c fsync=off";
            case 'redis':
                return "exec redis-server --bind $this->host --port $port --save '' --protected-mode no";
            case 'redisnode1':
            case 'redisnode2':
            case 'redisnode3':
                return "exec redis-server --bind $this->host --port $port --save '' --protected-mode no \\
                    --cluster-enabled yes --cluster-port " . FreePort::take();
            case 'haproxy':
                return "cat >haproxy.conf <<END
                    defaults
                        mode tcp
                        timeout connect 5s
                        timeout client 3s
                        timeout server 3s
                        option clitcpka
                    listen redis
                        bind $this->host:$port
                        server redis $this->host:{$this->ports['redis']}
\nEND
                    exec haproxy -db -f haproxy.conf";
            case 'nginxstream':
                return "cat >nginx.conf <<END
                    daemon off; master_process off; pid nginx.pid; error_log error.log;
                    load_module /usr/lib/nginx/modules/ngx_stream_module.so;
                    events { worker_connections 64; }
                    stream {
                        server { listen $this->host:$port so_keepalive=on; proxy_pass $this->host:{$this->ports['redis']};
                            proxy_timeout 3s; }
                    }
\nEND
                    exec nginx -p . -c nginx.conf -e error.log";
            case 'memcached':
                return "exec memcached -u root -l $this->host -p $port -U 0";
            case 'rabbitmq':
                $tls = $this->ports['rabbitmq-tls'];
                return "cat >rabbitmq.conf <<END
                    listeners.tcp.1 = $this->host:$port
                    listeners.ssl.1 = $this->host:$tls
                    ssl_options.cacertfile = $this->folder/certificate
                    ssl_options.certfile = $this->folder/certificate
                    ssl_options.keyfile = $this->folder/key
                    loopback_users = none
                    cluster_name = keepalive
\nEND
                    echo '[].' >plugins
                    setpriv --pdeathsig KILL epmd -port \$ERL_EPMD_PORT -address 127.0.0.1 &
                    exec /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server";
            default: // https
                return "cat >nginx.conf <<END
                    daemon off; master_process off; pid nginx.pid; error_log error.log;
                    events { worker_connections 64; }
                    http {
                        access_log off; keepalive_timeout 600; proxy_read_timeout 600;
                        client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
                        server {
                            listen $this->host:$port ssl;
                            ssl_certificate $this->folder/certificate;
                            ssl_certificate_key $this->folder/key;
                            location = /42 { default_type text/plain; return 200 42; }
                            location = /soap { default_type text/xml; return 200 '<e:Envelope
                                xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body><r><n>42</n></r></e:Body></e:Envelope>'; }
                            location = /wait { proxy_pass http://unix:$this->folder/silent; }
                        }
                    }
\nEND
                    exec nginx -p . -c nginx.conf -e error.log";
        }
    }

    /** @return array<string, string> what RabbitMQ reads; nothing else does */
    private function environment(): array
    {
        $folder = "$this->folder/rabbitmq";
        return [
            'HOME' => $folder,
            'RABBITMQ_NODENAME' => 'keepalive' . getmypid() . '@localhost',
            'RABBITMQ_CONFIG_FILE' => "$folder/rabbitmq.conf",
            'RABBITMQ_CONF_ENV_FILE' => '/dev/null',
            'RABBITMQ_ENABLED_PLUGINS_FILE' => "$folder/plugins",
            'RABBITMQ_MNESIA_BASE' => $folder,
            'RABBITMQ_LOG_BASE' => $folder,
            'RABBITMQ_LOGS' => '-',
            'RABBITMQ_DIST_PORT' => (string) $this->ports['rabbitmq-nodes'],
            'ERL_EPMD_PORT' => (string) $this->ports['epmd'],
            'ERL_EPMD_ADDRESS' => '127.0.0.1',
            'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS' => '-kernel inet_dist_use_interface {127,0,0,1}',
            'RUNNING_UNDER_SYSTEMD' => 'true', // then its script becomes the server
        ];
    }

    /** Waits until it answers like a server that has started. */
    private function awaitReadiness(string $name): void
    {
        $server = explode('-', $name)[0];
        $deadline = microtime(true) + Process::PATIENCE;
        while (!$this->answers($name)) {
            if (microtime(true) > $deadline || !$this->processes[$server]->isRunning()) {
                $log = substr((string) file_get_contents("$this->folder/$server.log"), -3000);
                throw new \RuntimeException("$name does not start at $this->host:{$this->ports[$name]}:\n$log");
            }
            usleep(50000);
        }
    }

    private function answers(string $name): bool
    {
        $stream = @stream_socket_client("tcp://$this->host:{$this->ports[$name]}", $errno, $error, 1);
        if ($stream === false) {
            return false;
        }
        switch ($name) {
            case 'mariadb': // speaks first
                stream_set_timeout($stream, 1);
                return (string) fread($stream, 5) !== '';
            case 'postgresql': // refuses until it is ready: E is an error
                fwrite($stream, pack('NN', 23, 196608) . "user\0postgres\0\0");
                return fread($stream, 1) === 'R';
            default: // listens when it is ready
                return true;
        }
    }
}
