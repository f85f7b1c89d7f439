//! What may be given to a combinator: tuples, arrays and vectors of futures.

use std::future::Future;
use std::task::{Context, Poll};

use super::error::BranchError;
use crate::branches::{Below, Branch, Ended, Lane, Lanes};

/// Futures to be run concurrently: a tuple of up to twelve, an array or a `Vec`.
///
/// What comes out has the shape of what went in. Other iterators are collected into a `Vec` first, or go into
/// [`map_concurrent`](super::map_concurrent). Nobody but this crate implements it.
pub trait Branches: sealed::Sealed {
    /// The outputs of all, in order.
    type Outputs;
    /// The outcomes of all, in order.
    type Outcomes;
    #[doc(hidden)]
    type Lanes: Lanes;
    /// The futures, and how many they are.
    #[doc(hidden)]
    fn into_lanes(self) -> (Self::Lanes, usize);
    /// The outputs, if all are there.
    #[doc(hidden)]
    fn outputs(lanes: &mut Self::Lanes) -> Option<Self::Outputs>;
    /// The outcomes, if for each there is an output or an error.
    #[doc(hidden)]
    fn outcomes(lanes: &mut Self::Lanes, error: impl FnMut(usize) -> Option<BranchError>) -> Option<Self::Outcomes>;
}

/// [`Branches`] that may fail, with an error of the same type.
pub trait TryBranches: Branches {
    /// The values of all, in order.
    type Values;
    /// The error of each.
    type Error;
    /// The error of the branch that has just ended, if it has failed.
    #[doc(hidden)]
    fn error(lanes: &mut Self::Lanes, index: usize) -> Option<Self::Error>;
    /// The values, if all are there.
    #[doc(hidden)]
    fn values(lanes: &mut Self::Lanes) -> Option<Self::Values>;
}

/// [`Branches`] that have the same output.
pub trait SameBranches: Branches {
    /// The output of each.
    type Output;
    /// The output of the branch that has just ended.
    #[doc(hidden)]
    fn output(lanes: &mut Self::Lanes, index: usize) -> Option<Self::Output>;
}

fn take<F: Future>(lane: &mut Lane<F>) -> Option<F::Output> {
    lane.as_mut().output().take()
}

/// The output, if it is a failure.
fn take_error<F: Future<Output = Result<T, E>>, T, E>(lane: &mut Lane<F>) -> Option<E> {
    let output = lane.as_mut().output();
    output.take_if(|output| output.is_err())?.err()
}

fn take_value<F: Future<Output = Result<T, E>>, T, E>(lane: &mut Lane<F>) -> Option<T> {
    take(lane)?.ok()
}

fn outcome<F: Future>(
    lane: &mut Lane<F>,
    index: usize,
    error: &mut impl FnMut(usize) -> Option<BranchError>,
) -> Option<Result<F::Output, BranchError>> {
    take(lane).map(Ok).or_else(|| error(index).map(Err))
}

impl<F: Future> Lanes for Vec<Lane<F>> {
    fn poll(&mut self, index: usize, below: Below<'_>, cx: &mut Context<'_>) -> Poll<Ended> {
        self[index].as_mut().poll_below(below, cx)
    }
}

impl<F: Future> Branches for Vec<F> {
    type Outputs = Vec<F::Output>;
    type Outcomes = Vec<Result<F::Output, BranchError>>;
    type Lanes = Vec<Lane<F>>;

    fn into_lanes(self) -> (Self::Lanes, usize) {
        let lanes: Vec<_> = self.into_iter().map(Branch::new).collect();
        let count = lanes.len();
        (lanes, count)
    }

    fn outputs(lanes: &mut Self::Lanes) -> Option<Self::Outputs> {
        lanes.iter_mut().map(take).collect()
    }

    fn outcomes(
        lanes: &mut Self::Lanes,
        mut error: impl FnMut(usize) -> Option<BranchError>,
    ) -> Option<Self::Outcomes> {
        lanes.iter_mut().enumerate().map(|(index, lane)| outcome(lane, index, &mut error)).collect()
    }
}

impl<F: Future<Output = Result<T, E>>, T, E> TryBranches for Vec<F> {
    type Values = Vec<T>;
    type Error = E;

    fn error(lanes: &mut Self::Lanes, index: usize) -> Option<E> {
        take_error(&mut lanes[index])
    }

    fn values(lanes: &mut Self::Lanes) -> Option<Self::Values> {
        lanes.iter_mut().map(take_value).collect()
    }
}

impl<F: Future> SameBranches for Vec<F> {
    type Output = F::Output;

    fn output(lanes: &mut Self::Lanes, index: usize) -> Option<F::Output> {
        take(&mut lanes[index])
    }
}

impl<F: Future, const N: usize> Branches for [F; N] {
    type Outputs = [F::Output; N];
    type Outcomes = [Result<F::Output, BranchError>; N];
    type Lanes = Vec<Lane<F>>;

    fn into_lanes(self) -> (Self::Lanes, usize) {
        (self.into_iter().map(Branch::new).collect(), N)
    }

    fn outputs(lanes: &mut Self::Lanes) -> Option<Self::Outputs> {
        Vec::<F>::outputs(lanes)?.try_into().ok()
    }

    fn outcomes(lanes: &mut Self::Lanes, error: impl FnMut(usize) -> Option<BranchError>) -> Option<Self::Outcomes> {
        Vec::<F>::outcomes(lanes, error)?.try_into().ok()
    }
}

impl<F: Future<Output = Result<T, E>>, T, E, const N: usize> TryBranches for [F; N] {
    type Values = [T; N];
    type Error = E;

    fn error(lanes: &mut Self::Lanes, index: usize) -> Option<E> {
        take_error(&mut lanes[index])
    }

    fn values(lanes: &mut Self::Lanes) -> Option<Self::Values> {
        Vec::<F>::values(lanes)?.try_into().ok()
    }
}

impl<F: Future, const N: usize> SameBranches for [F; N] {
    type Output = F::Output;

    fn output(lanes: &mut Self::Lanes, index: usize) -> Option<F::Output> {
        take(&mut lanes[index])
    }
}

macro_rules! tuples {
    ($($count:literal: $(($future:ident $value:ident $index:tt))+;)*) => {$(
        impl<$($future: Future),+> Lanes for ($(Lane<$future>,)+) {
            fn poll(&mut self, index: usize, below: Below<'_>, cx: &mut Context<'_>) -> Poll<Ended> {
                match index {
                    $($index => self.$index.as_mut().poll_below(below, cx),)+
                    _ => unreachable!("there are as many lanes as branches"),
                }
            }
        }

        impl<$($future: Future),+> Branches for ($($future,)+) {
            type Outputs = ($($future::Output,)+);
            type Outcomes = ($(Result<$future::Output, BranchError>,)+);
            type Lanes = ($(Lane<$future>,)+);

            fn into_lanes(self) -> (Self::Lanes, usize) {
                (($(Branch::new(self.$index),)+), $count)
            }

            fn outputs(lanes: &mut Self::Lanes) -> Option<Self::Outputs> {
                Some(($(take(&mut lanes.$index)?,)+))
            }

            fn outcomes(
                lanes: &mut Self::Lanes,
                mut error: impl FnMut(usize) -> Option<BranchError>,
            ) -> Option<Self::Outcomes> {
                Some(($(outcome(&mut lanes.$index, $index, &mut error)?,)+))
            }
        }

        impl<$($future: Future<Output = Result<$value, Error>>, $value,)+ Error> TryBranches for ($($future,)+) {
            type Values = ($($value,)+);
            type Error = Error;

            fn error(lanes: &mut Self::Lanes, index: usize) -> Option<Error> {
                match index {
                    $($index => take_error(&mut lanes.$index),)+
                    _ => None,
                }
            }

            fn values(lanes: &mut Self::Lanes) -> Option<Self::Values> {
                Some(($(take_value(&mut lanes.$index)?,)+))
            }
        }

        impl<$($future: Future<Output = Output>,)+ Output> SameBranches for ($($future,)+) {
            type Output = Output;

            fn output(lanes: &mut Self::Lanes, index: usize) -> Option<Output> {
                match index {
                    $($index => take(&mut lanes.$index),)+
                    _ => None,
                }
            }
        }

        impl<$($future),+> sealed::Sealed for ($($future,)+) {}
    )*};
}

tuples! {
    1: (A Va 0);
    2: (A Va 0) (B Vb 1);
    3: (A Va 0) (B Vb 1) (C Vc 2);
    4: (A Va 0) (B Vb 1) (C Vc 2) (D Vd 3);
    5: (A Va 0) (B Vb 1) (C Vc 2) (D Vd 3) (E Ve 4);
    6: (A Va 0) (B Vb 1) (C Vc 2) (D Vd 3) (E Ve 4) (F Vf 5);
    7: (A Va 0) (B Vb 1) (C Vc 2) (D Vd 3) (E Ve 4) (F Vf 5) (G Vg 6);
    8: (A Va 0) (B Vb 1) (C Vc 2) (D Vd 3) (E Ve 4) (F Vf 5) (G Vg 6) (H Vh 7);
    9: (A Va 0) (B Vb 1) (C Vc 2) (D Vd 3) (E Ve 4) (F Vf 5) (G Vg 6) (H Vh 7) (I Vi 8);
    10: (A Va 0) (B Vb 1) (C Vc 2) (D Vd 3) (E Ve 4) (F Vf 5) (G Vg 6) (H Vh 7) (I Vi 8) (J Vj 9);
    11: (A Va 0) (B Vb 1) (C Vc 2) (D Vd 3) (E Ve 4) (F Vf 5) (G Vg 6) (H Vh 7) (I Vi 8) (J Vj 9) (K Vk 10);
    12: (A Va 0) (B Vb 1) (C Vc 2) (D Vd 3) (E Ve 4) (F Vf 5) (G Vg 6) (H Vh 7) (I Vi 8) (J Vj 9) (K Vk 10) (L Vl 11);
}

mod sealed {
    pub trait Sealed {}
    impl<F> Sealed for Vec<F> {}
    impl<F, const N: usize> Sealed for [F; N] {}
}
