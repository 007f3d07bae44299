//! Coordinates for the sites of a tiling {p, q} of the hyperbolic plane: positions that branch like a tree.

use ceas_sim::topology::{Family, Topology};

use super::Point;
use crate::error::Error;

/// A patch of the tiling {p, q} with a point of the disk for every vertex.
#[derive(Debug, Clone)]
pub struct Tiling {
    topology: Topology,
    points: Vec<Point>,
    edge: f64,
}

impl Tiling {
    /// Lays out a patch that [`Topology::hyperbolic`] has grown: its first polygon around the centre, every edge of length
    /// 2 arcosh(cos(π/p)/sin(π/q)), the q edges around each vertex 2π/q apart.
    ///
    /// A vertex gets its place from a neighbour that has one, so that errors grow with the layers: [`Tiling::defect`] tells by how much edges
    /// that were not used miss their length.
    ///
    /// # Errors
    /// [`Error::Sim`] if there is no such patch; [`Error::Component`] if a vertex lies so far out that its point rounds to the rim.
    pub fn new(p: usize, q: usize, layers: usize) -> Result<Self, Error> {
        let topology = Topology::hyperbolic(p, q, layers)?;
        debug_assert!(matches!(topology.family(), Some(Family::Hyperbolic { .. })));
        let too_far = || Error::Component {
            component: "tiling",
            violated: "its outermost sites round to the rim of the disk: choose fewer layers",
        };
        let angle = |n: usize| std::f64::consts::PI / n as f64;
        let edge = 2.0 * libm::acosh(libm::cos(angle(p)) / libm::sin(angle(q)));
        // Distance of a vertex from the centre of its polygon.
        let radius = libm::acosh(1.0 / (libm::tan(angle(p)) * libm::tan(angle(q))));
        let n = topology.n_sites();
        let mut points: Vec<Option<Point>> = vec![None; n];
        for (site, point) in points.iter_mut().enumerate().take(p) {
            *point = Some(Point::polar(radius, 2.0 * angle(p) * site as f64).ok_or_else(too_far)?);
        }
        let mut open: std::collections::VecDeque<usize> = (0..p).collect();
        while let Some(hub) = open.pop_front() {
            let around = around(&topology, hub);
            let centre = points[hub].expect("only sites that have a place are opened");
            let known = around.iter().enumerate().find_map(|(slot, &site)| {
                let (x, y) = centre.negated().plus(points[site]?).coordinates();
                Some((slot, libm::atan2(y, x)))
            });
            let (first, direction) = known.expect("a site is opened by a neighbour that has a place");
            for (slot, &site) in around.iter().enumerate() {
                if points[site].is_none() {
                    let turn = 2.0 * angle(q) * (slot as f64 - first as f64);
                    let step = Point::polar(edge, direction + turn).ok_or_else(too_far)?;
                    points[site] = Some(centre.plus(step));
                    open.push_back(site);
                }
            }
        }
        let points = points.into_iter().map(|point| point.expect("every site was placed")).collect();
        Ok(Self { topology, points, edge })
    }

    /// The graph.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// The point of every site.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The length of an edge.
    pub fn edge(&self) -> f64 {
        self.edge
    }

    /// The largest |d − edge length| over the edges: how well the layout closes.
    pub fn defect(&self) -> f64 {
        let length = |(a, b): (usize, usize)| self.points[a].distance(self.points[b]);
        self.topology.bonds().map(|bond| (length(bond) - self.edge).abs()).fold(0.0, f64::max)
    }
}

/// The neighbours of `site` in the sense of the numbering, each 2π/q further than the one before: the next site of its layer, those of
/// the layer inside, the one before in its layer, those of the layer outside as far as there are any.
fn around(topology: &Topology, site: usize) -> Vec<usize> {
    let layers = topology.layers().expect("a tiling is grown in layers");
    let layer = layers[site];
    // Sites are numbered layer by layer.
    let begin = layers.partition_point(|&l| l < layer);
    let size = layers.partition_point(|&l| l <= layer) - begin;
    let along = |by: usize| begin + (site - begin + by) % size;
    let of_layer = |wanted: std::cmp::Ordering| {
        let mut sites: Vec<usize> =
            topology.neighbors(site).filter(|&other| layers[other].cmp(&layer) == wanted).collect();
        sites.sort_unstable();
        unwrap(&mut sites, layers);
        sites
    };
    let mut order = vec![along(1)];
    order.extend(of_layer(std::cmp::Ordering::Less).into_iter().rev());
    order.push(along(size - 1));
    order.extend(of_layer(std::cmp::Ordering::Greater));
    order
}

/// Turns an ascending list of sites of one layer so that it does not run over the end of the layer: the widest gap around comes last.
fn unwrap(sites: &mut [usize], layers: &[u16]) {
    let (Some(&first), Some(&last)) = (sites.first(), sites.last()) else { return };
    let layer = layers[first];
    let size = layers.partition_point(|&l| l <= layer) - layers.partition_point(|&l| l < layer);
    let widest = sites.windows(2).map(|pair| pair[1] - pair[0]).enumerate().max_by_key(|&(_, gap)| gap);
    if let Some((place, gap)) = widest
        && gap > first + size - last
    {
        sites.rotate_left(place + 1);
    }
}
