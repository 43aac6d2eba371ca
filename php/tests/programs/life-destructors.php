<?php

/** Uses the package in a destructor, in a shutdown function, and in a destructor after that. */

declare(strict_types=1);

require __DIR__ . '/life.php';

$checking = static function ($stream): object {
    return new class ($stream) {
        /** @var resource */
        private $stream;

        /** @param resource $stream */
        public function __construct($stream)
        {
            $this->stream = $stream;
        }

        public function __destruct()
        {
            echo 'destructor: ', check($this->stream);
        }
    };
};
$early = $checking($stream);
unset($early);
register_shutdown_function(static function () use ($stream): void {
    echo 'shutdown: ', check($stream);
});
$late = $checking($stream); // PHP destroys it after the shutdown functions
