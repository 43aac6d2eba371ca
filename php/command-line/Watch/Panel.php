<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Watch;

use Keepalive\CommandLine\Duration;
use Keepalive\CommandLine\SettingsText;

/**
 * The live picture of the sockets: one in detail, several as a table.
 *
 * @internal
 */
final class Panel
{
    private const TITLE = 'keepalive watch';

    /** The width of the labels, with the space before and after them. */
    private const INDENT = 12;

    /** Columns that the time line leaves free, also for a duration. */
    private const BESIDE_BAR = 32;

    private const ROW = '%4s %-21s %-11s %-13s %5s %6s %5s %8s';

    private Screen $screen;
    private string $hint;

    /** @param string $hint how to end it */
    public function __construct(Screen $screen, string $hint)
    {
        $this->screen = $screen;
        $this->hint = $hint;
    }

    /**
     * @param Sample[] $samples
     * @return string[] lines
     */
    public function lines(string $name, array $samples): array
    {
        $room = max(0, $this->screen->width() - strlen(self::TITLE) - strlen($this->hint) - 4);
        $name = str_pad(Screen::beginning($name, $room), $room);
        $title = $this->screen->coloured(self::TITLE, Screen::BOLD) . "  $name  "
            . $this->screen->coloured($this->hint, Screen::DIM);
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
            'settings' => SettingsText::long($sample->settings),
            'heard' => $sample->silence === null ? '-' : Duration::text($sample->silence) . ' ago',
            'probes' => self::probes($sample, $forecast),
            'timer' => self::timer($sample, $forecast),
            'gives up' => self::givesUp($sample, $forecast),
        ];
        $lines = [];
        foreach ($facts as $label => $fact) {
            $emphasis = $label === 'gives up' ? Screen::BOLD : '0';
            $lines[] = '  ' . $this->screen->coloured(sprintf('%-10s', $label), Screen::DIM)
                . $this->screen->coloured(Screen::beginning($fact, max(0, $this->screen->width() - self::INDENT)), $emphasis);
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
                : 'keepalive: next probe in ' . Duration::text($forecast->probeIn);
        }
        return $sample->timer === 'none' ? 'none' : "$sample->timer in " . Duration::text($sample->timerIn);
    }

    private static function givesUp(Sample $sample, Forecast $forecast): string
    {
        if ($forecast->givesUpIn !== null) {
            return 'in ' . Duration::text($forecast->givesUpIn) . ($sample->waiting === null
                ? ', if nothing is heard'
                : ' (user timeout), if nothing is acknowledged');
        }
        $reasons = [
            'never' => 'never, while nothing is sent: keepalive is off',
            '~15 min' => 'after about 15 min: data is not acknowledged, no user timeout',
        ];
        return $reasons[$forecast->note] ?? $forecast->note;
    }

    /** The time line: the silence so far, and the time left; a stroke for each probe. */
    private function bar(Sample $sample, Forecast $forecast): string
    {
        $silence = (float) $sample->silence;
        $total = $silence + (float) $forecast->givesUpIn;
        $width = max(1, $this->screen->width() - self::BESIDE_BAR);
        $column = static function (float $seconds) use ($total, $width): int {
            return (int) floor(min(max($seconds / max($total, 0.001), 0), 1) * $width);
        };
        $past = $column($silence);
        $bar = str_repeat('=', $past) . str_repeat('.', $width - $past);
        for ($probe = 1; $probe <= (int) $forecast->probes; $probe++) {
            $at = $column($total - $probe * $sample->settings->interval());
            $bar[min($at, $width - 1)] = '|';
        }
        $unanswered = $sample->status->probes();
        $colour = $unanswered === 0 ? Screen::GREEN : ($forecast->probeIn === null ? Screen::RED : Screen::YELLOW);
        return str_repeat(' ', self::INDENT) . '[' . $this->screen->coloured(substr($bar, 0, $past), $colour)
            . substr($bar, $past) . '] ' . Duration::text($total);
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
        $head = sprintf(self::ROW, 'fd', 'peer', 'state', 'keepalive', 'heard', 'probes', 'timer', 'gives up');
        $lines = [$this->screen->coloured($head, Screen::DIM)];
        $room = max(1, $this->screen->height() - 7);
        $more = count($samples) - $room;
        foreach (array_slice($samples, 0, $more > 0 ? $room - 1 : $room) as $sample) {
            $lines[] = $this->row($sample);
        }
        if ($more > 0) {
            $lines[] = '     and ' . ($more + 1) . ' more';
        }
        $lines[] = '';
        $lines[] = $this->screen->coloured('     ' . SettingsText::LEGEND, Screen::DIM);
        return $lines;
    }

    private function row(Sample $sample): string
    {
        $forecast = new Forecast($sample);
        $unanswered = $sample->status->probes();
        $listens = $sample->status->state() === 'LISTEN';
        $row = sprintf(
            self::ROW,
            $sample->fd,
            self::end($listens ? $sample->local : $sample->remote, 21),
            $sample->status->state(),
            Screen::beginning(SettingsText::short($sample->settings), 13),
            $sample->silence === null ? '-' : Duration::largestUnit($sample->silence),
            $forecast->probes === null ? ($unanswered ?: '-') : "$unanswered/{$forecast->probes}",
            $sample->timer === 'none' ? '-' : Duration::largestUnit($forecast->probeIn ?? $sample->timerIn),
            $forecast->givesUpIn === null ? $forecast->note : Duration::largestUnit($forecast->givesUpIn)
        );
        return $unanswered === 0 ? $row : $this->screen->coloured($row, Screen::YELLOW);
    }

    /** The end of an address says more than its beginning. */
    private static function end(string $text, int $width): string
    {
        return strlen($text) <= $width ? $text : '..' . substr($text, -max(1, $width - 2));
    }
}
