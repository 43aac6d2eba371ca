<?php

/** Uses the package for the first time in a destructor at the end. */

declare(strict_types=1);

require __DIR__ . '/life.php';

$late = new class ($stream) {
    /** @var resource */
    private $stream;

    /** @param resource $stream */
    public function __construct($stream)
    {
        $this->stream = $stream;
    }

    public function __destruct()
    {
        echo check($this->stream);
    }
};
