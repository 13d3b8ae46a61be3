//! Charts: cash by month, and how the differences of participants are spread. SVG, by itself or on a page.

use std::path::Path;

use domain::simulation::SimulationReport;
use domain::simulation::report::{MonthBand, Percentiles};
use plotters::prelude::*;

use crate::cli::CommandError;

/// The size of one chart, in pixels.
const SIZE: (u32, u32) = (960, 420);
/// The colours of scenarios: readable for the colour-blind (Okabe and Ito).
const COLOURS: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
];

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A picture.
    Svg,
    /// A page with the picture.
    Html,
}

impl Format {
    /// By the end of the file's name.
    pub fn of(path: &Path) -> Result<Self, CommandError> {
        match path.extension().and_then(|end| end.to_str()) {
            Some("svg") => Ok(Self::Svg),
            Some("html") => Ok(Self::Html),
            _ => Err(CommandError::Other(format!("--chart {}: expected .svg or .html", path.display()))),
        }
    }
}

/// Both charts, one below the other.
pub fn drawn(report: &SimulationReport, format: Format) -> Result<String, CommandError> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (SIZE.0, SIZE.1 * 2)).into_drawing_area();
        let failed = |error: Box<dyn std::error::Error>| CommandError::Other(format!("the chart: {error}"));
        root.fill(&WHITE).map_err(|error| CommandError::Other(format!("the chart: {error}")))?;
        let (above, below) = root.split_vertically(SIZE.1);
        cash(report, &above).map_err(failed)?;
        spread(report, &below).map_err(failed)?;
        root.present().map_err(|error| CommandError::Other(format!("the chart: {error}")))?;
    }
    Ok(match format {
        Format::Svg => svg,
        Format::Html => format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Simulation</title>\n<style>body{{font-family:sans-serif;margin:2em auto;max-width:60em}}svg{{max-width:100%;height:auto}}</style>\n<h1>Simulation</h1>\n<p>{} deals ({}), seed {}</p>\n{svg}\n</html>\n",
            report.population.deals, report.population.kind, report.population.seed
        ),
    })
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Whole dollars: the axes show no cents.
const fn dollars(minor: i64) -> i64 {
    minor / 100
}

fn month_number(on: jiff::civil::Date) -> i32 {
    i32::from(on.year()) * 12 + i32::from(on.month()) - 1
}

fn month_name(number: &i32) -> String {
    format!("{}-{:02}", number.div_euclid(12), number.rem_euclid(12) + 1)
}

/// A range with room; never empty.
fn range(values: impl Iterator<Item = i64> + Clone) -> std::ops::Range<i64> {
    let least = values.clone().min().unwrap_or(0).min(0);
    let most = values.max().unwrap_or(0).max(1);
    least..most.saturating_add(most / 20 + 1)
}

fn cash(report: &SimulationReport, area: &Area<'_>) -> Drawn {
    let bands: &[MonthBand] =
        report.monte_carlo.as_ref().and_then(|runs| runs.scenarios.first()).map_or(&[], |first| &first.cash_by_month);
    let months = report.scenarios.iter().flat_map(|scenario| &scenario.cash_by_month);
    let numbers = months.clone().map(|month| month_number(month.month));
    let numbers = numbers.chain(bands.iter().map(|band| month_number(band.month)));
    let (Some(first), Some(last)) = (numbers.clone().min(), numbers.max()) else { return Ok(()) };
    let of_bands = bands.iter().flat_map(|band| [band.participants.p5_minor, band.participants.p95_minor]);
    let amounts = months.map(|month| month.participants_minor).chain(of_bands).map(dollars);
    let mut chart = ChartBuilder::on(area)
        .caption("Cash by month: to participants, AUD", ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(84)
        .build_cartesian_2d(first..last.max(first + 1), range(amounts))?;
    chart.configure_mesh().x_labels(12).x_label_formatter(&month_name).light_line_style(WHITE).draw()?;
    if !bands.is_empty() {
        let points = bands.iter().map(|band| (month_number(band.month), dollars(band.participants.p95_minor)));
        let back = bands.iter().rev().map(|band| (month_number(band.month), dollars(band.participants.p5_minor)));
        let outline: Vec<(i32, i64)> = points.chain(back).collect();
        chart
            .draw_series([Polygon::new(outline, COLOURS[0].mix(0.2))])?
            .label("active, 5 to 95 % of the runs")
            .legend(|(x, y)| Rectangle::new([(x, y - 4), (x + 18, y + 4)], COLOURS[0].mix(0.2).filled()));
    }
    for (scenario, colour) in report.scenarios.iter().zip(COLOURS) {
        let line = scenario.cash_by_month.iter().map(|m| (month_number(m.month), dollars(m.participants_minor)));
        chart
            .draw_series(LineSeries::new(line, colour.stroke_width(2)))?
            .label(scenario.name.as_str())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;
    Ok(())
}

/// The hundredths of a spread, from the least to the most.
fn hundredths(p: &Percentiles) -> [(i32, i64); 11] {
    [
        (0, p.least_minor),
        (1, p.p1_minor),
        (5, p.p5_minor),
        (10, p.p10_minor),
        (25, p.p25_minor),
        (50, p.p50_minor),
        (75, p.p75_minor),
        (90, p.p90_minor),
        (95, p.p95_minor),
        (99, p.p99_minor),
        (100, p.most_minor),
    ]
}

fn spread(report: &SimulationReport, area: &Area<'_>) -> Drawn {
    let named = report.comparisons.iter().zip(COLOURS.into_iter().skip(1));
    let spreads: Vec<(&str, [(i32, i64); 11], RGBColor)> = named
        .filter_map(|(one, colour)| {
            Some((one.name.as_str(), hundredths(one.participant_percentiles.as_ref()?), colour))
        })
        .collect();
    if spreads.is_empty() {
        return shares(report, area);
    }
    let amounts = spreads.iter().flat_map(|(_, points, _)| points.iter().map(|(_, minor)| dollars(*minor)));
    let mut chart = ChartBuilder::on(area)
        .caption("Differences of participants to what is active, AUD, by hundredths of them", ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(84)
        .build_cartesian_2d(0..100, range(amounts))?;
    chart.configure_mesh().light_line_style(WHITE).draw()?;
    for (name, points, colour) in spreads {
        let line = points.map(|(at, minor)| (at, dollars(minor)));
        chart
            .draw_series(LineSeries::new(line, colour.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;
    Ok(())
}

/// Without candidates: what the largest participants get.
fn shares(report: &SimulationReport, area: &Area<'_>) -> Drawn {
    let nets: Vec<i64> =
        report.participants.largest.iter().filter_map(|one| one.net_minor.first().copied()).map(dollars).collect();
    let most = i32::try_from(nets.len()).unwrap_or(i32::MAX).max(1);
    let mut chart = ChartBuilder::on(area)
        .caption("The largest participants, AUD", ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(84)
        .build_cartesian_2d((1..most).into_segmented(), range(nets.iter().copied()))?;
    chart.configure_mesh().disable_x_mesh().light_line_style(WHITE).draw()?;
    let bars = Histogram::vertical(&chart).style(COLOURS[0].filled()).margin(3).data((1..).zip(nets));
    chart.draw_series(bars)?;
    Ok(())
}
