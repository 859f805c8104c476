%% The counter of the benches as an Erlang process, on one scheduler or several.
%%
%% Prints `VALUE SENT PROCESSED CPUUS`: operations per second, what was sent, what the counter says, and the processor
%% time of one operation in microseconds, all schedulers.
-module(counter).
-export([main/1]).

main([Kind, WarmupMs, MeasureMs]) ->
    Counter = spawn_opt(fun() -> loop(0) end, options(Kind)),
    run(Kind, Counter, now_ms() + list_to_integer(WarmupMs), 0),
    Start = erlang:monotonic_time(microsecond),
    Warm = call(Counter, 0),
    {Cpu, _} = statistics(runtime),
    run(Kind, Counter, now_ms() + list_to_integer(MeasureMs), 0),
    Done = call(Counter, 0),
    Took = erlang:monotonic_time(microsecond) - Start,
    {CpuDone, _} = statistics(runtime),
    Measured = Done - Warm,
    CpuUs = (CpuDone - Cpu) * 1000 / max(Measured, 1),
    io:format("~p ~p ~p ~p~n", [Measured * 1000000 / Took, get(sent), Done, CpuUs]),
    halt(0).

%% Across schedulers the counter runs on the second one; the driver stays on the first.
options("across") -> [{scheduler, 2}];
options(_) -> [].

now_ms() -> erlang:monotonic_time(millisecond).

run(Kind, Counter, Until, _) ->
    burst(Kind, Counter),
    case now_ms() < Until of
        true -> run(Kind, Counter, Until, 0);
        false -> ok
    end.

burst("call", Counter) -> calls(Counter, 1000), sent(1000);
burst("pingpong", Counter) -> pingpong(Counter, 500), sent(1000);
burst("spawn", Counter) -> lives(Counter, 1000), counted(Counter, 1000), sent(1000);
burst(_, Counter) -> tells(Counter, 1000), call(Counter, 0), sent(1000).

sent(N) ->
    Before = case get(sent) of undefined -> 0; Sent -> Sent end,
    put(sent, Before + N).

tells(_, 0) -> ok;
tells(Counter, N) -> Counter ! {add, 1}, tells(Counter, N - 1).

calls(_, 0) -> ok;
calls(Counter, N) -> call(Counter, 1), calls(Counter, N - 1).

%% Processes that handle one message each, and end.
lives(_, 0) -> ok;
lives(Counter, N) ->
    Life = spawn(fun() -> receive {once, To} -> To ! {add, 1} end end),
    Life ! {once, Counter},
    lives(Counter, N - 1).

%% Until the counter has heard of all of them.
counted(Counter, More) ->
    Before = case get(sent) of undefined -> 0; Sent -> Sent end,
    case call(Counter, 0) >= Before + More of
        true -> ok;
        false -> erlang:yield(), counted(Counter, More)
    end.

%% As gen_server:call does it: a monitor is the reference of the reply.
call(Counter, Amount) ->
    Ref = monitor(process, Counter),
    Counter ! {next, self(), Ref, Amount},
    receive
        {Ref, Count} -> demonitor(Ref, [flush]), Count
    end.

%% One message there, one back: two messages.
pingpong(_, 0) -> ok;
pingpong(Counter, N) ->
    Counter ! {ping, self()},
    receive pong -> pingpong(Counter, N - 1) end.

loop(Count) ->
    receive
        {add, N} -> loop(Count + N);
        {next, From, Ref, N} -> From ! {Ref, Count + N}, loop(Count + N);
        {ping, From} -> From ! pong, loop(Count + 2)
    end.
