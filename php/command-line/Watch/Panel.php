<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Watch;

/**
 * The live picture of the sockets: one in detail, several as a table.
 *
 * @internal
 */
final class Panel
{
    private const TITLE = 'keepalive watch';
    private const HINT = 'Ctrl-C ends it';

    /** Characters of the line that stands for the silence until the verdict. */
    private const BAR = 50;

    private const ROW = '%4s %-21s %-11s %-13s %5s %6s %5s %7s';

    private Screen $screen;

    public function __construct(Screen $screen)
    {
        $this->screen = $screen;
    }

    /**
     * @param Sample[] $samples
     * @return string[] lines
     */
    public function lines(string $name, array $samples): array
    {
        $room = Screen::WIDTH - strlen(self::TITLE) - strlen(self::HINT) - 4;
        $name = str_pad(self::beginning($name, $room), $room);
        $title = $this->screen->coloured(self::TITLE, Screen::BOLD) . "  $name  "
            . $this->screen->coloured(self::HINT, Screen::DIM);
        if ($samples === []) {
            return ['', $title, '', '  no TCP sockets'];
        }
        $body = count($samples) === 1 ? $this->detail(reset($samples)) : $this->table($samples);
        return array_merge(['', $title, ''], $body);
    }

    /** @return string[] */
    private function detail(Sample $sample): array
    {
        $forecast = new Forecast($sample);
        $facts = [
            'peer' => "$sample->remote  (from $sample->local)",
            'state' => $sample->status->state(),
            'settings' => Text::settings($sample->settings),
            'heard' => $sample->silence === null ? '-' : Text::seconds($sample->silence) . ' ago',
            'probes' => self::probes($sample, $forecast),
            'timer' => self::timer($sample, $forecast),
            'verdict' => self::verdict($sample, $forecast),
        ];
        $lines = [];
        foreach ($facts as $label => $fact) {
            $emphasis = $label === 'verdict' ? Screen::BOLD : '0';
            $lines[] = '  ' . $this->screen->coloured(sprintf('%-10s', $label), Screen::DIM)
                . $this->screen->coloured(self::fit($fact, Screen::WIDTH - 12), $emphasis);
        }
        if ($forecast->probes !== null) {
            $lines[] = '';
            $lines[] = $this->bar($sample, $forecast);
        }
        return $lines;
    }

    private static function probes(Sample $sample, Forecast $forecast): string
    {
        $unanswered = $sample->status->probes();
        if ($forecast->probes !== null) {
            return $unanswered === 0 ? "none of {$forecast->probes} sent" : "$unanswered of {$forecast->probes} unanswered";
        }
        return $unanswered === 0 ? '-' : "$unanswered unanswered";
    }

    private static function timer(Sample $sample, Forecast $forecast): string
    {
        if ($forecast->probes !== null) {
            return $forecast->probeIn === null
                ? 'keepalive: the last probe is out'
                : 'keepalive: next probe in ' . Text::seconds($forecast->probeIn);
        }
        return $sample->timer === 'none' ? 'none' : "$sample->timer in " . Text::seconds($sample->timerIn);
    }

    private static function verdict(Sample $sample, Forecast $forecast): string
    {
        if ($forecast->verdictIn !== null) {
            return 'in ' . Text::seconds($forecast->verdictIn) . ($sample->waiting === null
                ? ', if nothing is heard'
                : ' (user timeout), if nothing is acknowledged');
        }
        $reasons = [
            'never' => 'never, while nothing is sent: keepalive is off',
            '~15 min' => 'after some 15 min: data is not acknowledged, no user timeout',
        ];
        return $reasons[$forecast->note] ?? $forecast->note;
    }

    /** The silence so far, and what is left of it; a stroke where each probe goes out. */
    private function bar(Sample $sample, Forecast $forecast): string
    {
        $total = $sample->silence + $forecast->verdictIn;
        $column = static function (float $seconds) use ($total): int {
            return (int) floor(min(max($seconds / max($total, 0.001), 0), 1) * self::BAR);
        };
        $past = $column($sample->silence);
        $bar = str_repeat('=', $past) . str_repeat('.', self::BAR - $past);
        for ($probe = 1; $probe <= $forecast->probes; $probe++) {
            $at = $column($total - $probe * $sample->settings->interval());
            $bar[min($at, self::BAR - 1)] = '|';
        }
        $unanswered = $sample->status->probes();
        $colour = $unanswered === 0 ? Screen::GREEN : ($forecast->probeIn === null ? Screen::RED : Screen::YELLOW);
        return '  ' . str_repeat(' ', 10) . '[' . $this->screen->coloured(substr($bar, 0, $past), $colour)
            . substr($bar, $past) . '] ' . Text::seconds($total);
    }

    /**
     * @param Sample[] $samples
     * @return string[]
     */
    private function table(array $samples): array
    {
        usort($samples, static function (Sample $a, Sample $b): int {
            return [$b->status->probes(), $a->fd] <=> [$a->status->probes(), $b->fd];
        });
        $head = sprintf(self::ROW, 'fd', 'peer', 'state', 'keepalive', 'heard', 'probes', 'timer', 'verdict');
        $lines = [$this->screen->coloured($head, Screen::DIM)];
        $room = $this->screen->height() - 5;
        $more = count($samples) - $room;
        foreach (array_slice($samples, 0, $more > 0 ? $room - 1 : $room) as $sample) {
            $lines[] = $this->row($sample);
        }
        if ($more > 0) {
            $lines[] = '     and ' . ($more + 1) . ' more';
        }
        return $lines;
    }

    private function row(Sample $sample): string
    {
        $forecast = new Forecast($sample);
        $settings = $sample->settings;
        $unanswered = $sample->status->probes();
        $listens = $sample->status->state() === 'LISTEN';
        $row = sprintf(
            self::ROW,
            $sample->fd,
            self::fit($listens ? $sample->local : $sample->remote, 21),
            $sample->status->state(),
            $settings->enabled()
                ? self::beginning("{$settings->idle()}/{$settings->interval()}/{$settings->count()}", 13)
                : 'off',
            $sample->silence === null ? '-' : Text::briefly($sample->silence),
            $forecast->probes === null ? ($unanswered ?: '-') : "$unanswered/{$forecast->probes}",
            $sample->timer === 'none' ? '-' : Text::briefly($forecast->probeIn ?? $sample->timerIn),
            $forecast->verdictIn === null ? $forecast->note : Text::briefly($forecast->verdictIn)
        );
        return $unanswered === 0 ? $row : $this->screen->coloured($row, Screen::YELLOW);
    }

    private static function beginning(string $text, int $width): string
    {
        return strlen($text) <= $width ? $text : substr($text, 0, $width - 2) . '..';
    }

    /** The end of an address tells more than its beginning. */
    private static function fit(string $text, int $width): string
    {
        return strlen($text) <= $width ? $text : '..' . substr($text, 2 - $width);
    }
}
