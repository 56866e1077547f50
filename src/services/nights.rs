//! Race nights: what of a plan only the catalogue can judge.

use crate::catalog::rules::level;
use crate::catalog::{CarClass, Catalog, Lobby};
use crate::clock::Now;
use crate::store::{Changed, CityError, Host, NightPlan, Nights};

/// Plans a race night, of which the number is returned. Each way to plan one leads through here, and from here to [`Nights::plan`], which judges
/// the rest.
///
/// # Errors
/// [`CityError::Refused`] with what is wrong with the plan.
///
pub fn plan(
    catalog: &Catalog,
    nights: Nights<'_>,
    host: Host,
    plan: &NightPlan,
    now: Now,
) -> Result<Changed<u32>, CityError> {
    let lobby = catalog.lobbies().iter().find(|lobby| lobby.id == plan.lobby && lobby.race_type.is_race());
    let lobby = lobby.ok_or(CityError::Refused("choose a track: there is none with this number".into()))?;
    nights.plan(host, &checked(lobby, plan).map_err(|why| CityError::Refused(why.into()))?, now)
}

/// A plan that can be driven on its track; else what is wrong with it.
fn checked(lobby: &Lobby, plan: &NightPlan) -> Result<NightPlan, String> {
    if plan.class > 0 && CarClass::from_number(plan.class).is_none() {
        return Err("the classes of cars are 1, 2 and 3, and 0 is any: choose one of them".to_owned());
    }
    let (least, most) = plan.levels;
    let highest = level(u32::MAX);
    if least.max(most) > highest {
        return Err(format!("no driver gets above level {highest}: choose a lower one"));
    }
    if most > 0 && most < lobby.level {
        return Err(format!(
            "this track is open from level {} on: choose a higher highest level",
            lobby.level
        ));
    }
    if !lobby.backwards.enabled.0 && plan.backward == Some(true) {
        return Err("this track is driven forward only: choose that, or either".to_owned());
    }
    let plan = compared(lobby, plan);
    laps(lobby, plan.laps)?;
    Ok(plan)
}

/// Times can be compared only over one number of laps and in one direction: what the plan leaves open is as usual on the track.
fn compared(lobby: &Lobby, plan: &NightPlan) -> NightPlan {
    let mut plan = plan.clone();
    if plan.best_time {
        if plan.laps == 0 {
            plan.laps = u8::try_from(lobby.laps.default).unwrap_or_default();
        }
        plan.backward = plan.backward.or(Some(false));
    }
    plan
}

fn laps(lobby: &Lobby, laps: u8) -> Result<(), String> {
    let choice = &lobby.laps;
    if laps == 0 || choice.enabled.0 && (choice.least..=choice.most).contains(&laps.into()) {
        return Ok(());
    }
    Err(if choice.enabled.0 {
        format!(
            "a race on this track has {} to {} laps, and 0 is any: choose another number",
            choice.least, choice.most
        )
    } else {
        "on this track nobody chooses laps: leave them at 0".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::RaceType;

    fn lobby(kind: RaceType) -> Lobby {
        Catalog::builtin().lobbies().iter().find(|lobby| lobby.race_type == kind).unwrap().clone()
    }

    #[test]
    fn a_plan_names_what_there_is_on_its_track_and_nothing_else() {
        let circuit = lobby(RaceType::Circuit);
        let least = u8::try_from(circuit.laps.least).unwrap();
        let most = u8::try_from(circuit.laps.most).unwrap();
        let good = NightPlan { lobby: circuit.id, ..NightPlan::default() };
        let top = level(u32::MAX);
        for (plan, said) in [
            (NightPlan { class: 4, ..good.clone() }, "1, 2 and 3"),
            (NightPlan { class: 255, ..good.clone() }, "1, 2 and 3"),
            (NightPlan { laps: most + 1, ..good.clone() }, "1 to 8 laps"),
            (NightPlan { laps: 255, best_time: true, ..good.clone() }, "1 to 8 laps"),
            (NightPlan { levels: (top + 1, 0), ..good.clone() }, "no driver gets above"),
            (NightPlan { levels: (0, u32::MAX), ..good.clone() }, "no driver gets above"),
        ] {
            let why = checked(&circuit, &plan).unwrap_err();
            assert!(why.contains(said), "{plan:?}: {why}");
        }
        for plan in [
            good.clone(),
            NightPlan { class: 3, laps: least, levels: (1, top), backward: Some(true), ..good.clone() },
            NightPlan { laps: most, ..good.clone() },
        ] {
            assert_eq!(checked(&circuit, &plan), Ok(plan.clone()));
        }
        let timed = checked(&circuit, &NightPlan { best_time: true, ..good }).unwrap();
        assert_eq!((u16::from(timed.laps), timed.backward), (circuit.laps.default, Some(false)));
    }

    #[test]
    fn what_a_track_does_not_leave_to_the_host_nobody_plans() {
        let drag = lobby(RaceType::Drag);
        let plan = NightPlan { lobby: drag.id, levels: (0, 10), ..NightPlan::default() };
        for (lobby, plan, said) in [
            (drag.clone(), NightPlan { laps: 4, ..plan.clone() }, "nobody chooses laps"),
            (drag.clone(), NightPlan { backward: Some(true), ..plan.clone() }, "forward only"),
            (Lobby { level: 11, ..drag.clone() }, plan.clone(), "from level 11 on"),
        ] {
            assert!(checked(&lobby, &plan).unwrap_err().contains(said), "{plan:?}");
        }
        assert_eq!(checked(&drag, &plan), Ok(plan));
    }
}
