from dataclasses import replace

from benchmarks.synthesis import STEPS, kinds, measure, table


def test_every_kind_of_sample_is_measured_and_its_time_goes_to_the_steps() -> None:
    small = {
        name: replace(config, frames=2, coded_share=1.0, processed_share=1.0)
        for name, config in kinds(48).items()
    }
    results = measure(small, samples=2, side=320)

    assert [result.name for result in results] == ["plain", "coded", "coded, large"]
    for result in results:
        assert result.sample_ms > 0
        drawn_by_chance = {"sensor noise", "JPEG"}
        assert all(share > 0 for step, share in result.shares.items() if step not in drawn_by_chance)
        assert 0.3 < sum(result.shares.values()) < 1.1
    lines = table(results).splitlines()
    assert len(lines) == 3 + len(STEPS)
    assert len({len(line) for line in lines}) == 1
